"""What a run will need, estimated before it starts: parameters, memory, steps, hours.

Memory is an estimate from sizes alone: weights, and for each trained number a gradient, two moments and a 32-bit copy;
the states of one layer at a time where gradients are checkpointed, of all layers otherwise; and the logits, which for a
vocabulary of 200,000 are the largest thing beside the weights. Hours follow from the multiplications a step takes
(6 a parameter and token, 8 with checkpointing; Kaplan et al. 2020) and the rate measured on this device just now.
"""

import math
import re
import time
from collections.abc import Sequence
from typing import Any

import psutil
import torch

from pipeline.errors import TrainingError
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import LORA_TARGETS, Phi4, trainable
from pipeline.speechllm.plan_summary import CPU, Plan, refusal
from pipeline.speechllm.samples import Sample

GB = 1e9
BYTES_IN_4_BIT = 0.5 + 0.127 / 8  # with the scales of NF4, quantised in turn (Dettmers et al. 2023)
BYTES_PER_TRAINED = 4 + 4 + 8  # 32-bit copy, gradient, two moments
STATES_PER_LAYER = 34  # bytes per token and hidden unit that one layer keeps (Korthikanti et al. 2022)
HEADROOM = 1.1
USED_SHARE = 0.4  # of a plain matrix product's speed that training reaches
MATRIX = 1024


def make_plan(
    phi4: Phi4,
    config: SpeechLlmConfig,
    samples: Sequence[Sample],
    tokens: Sequence[int],
    devices: int = 1,
    device: torch.device | None = None,
) -> Plan:
    """`tokens` are the lengths of some of the samples, `device` where it is to run (by default where the model is)."""
    device = device or phi4.device
    n_trained, n_all = trainable(phi4.model.parameters())
    mean, longest = sum(tokens) / len(tokens), max(tokens)
    steps = config.epochs * math.ceil(len(samples) / (config.batch * config.accumulation))
    return Plan(
        n_trained=n_trained,
        n_parameters=n_all,
        trained_share=n_trained / n_all,
        n_samples=len(samples),
        tokens_per_sample=mean,
        steps=steps,
        memory_gb=memory_gb(phi4.model, config.on_each_of(devices), longest),
        available_gb=available_gb(device, config),
        hours=_hours(device, config, n_all, mean * len(samples) * config.epochs / devices),
        devices=devices,
        device=device_name(device),
    )


def refuse_impossible(plan: Plan, config: SpeechLlmConfig) -> None:
    """Raises TrainingError where the memory does not suffice, with what would."""
    text = refusal(plan, config)
    if text is not None:
        raise TrainingError(text)


def memory_gb(model: Any, config: SpeechLlmConfig, longest: int) -> float:
    weights = sum(_bytes_of(name, p, config) for name, p in model.named_parameters())
    n_trained, _ = trainable(model.parameters())
    shape = model.config
    tokens = config.batch * longest
    layers = 1 if config.checkpointing else shape.num_hidden_layers
    states = tokens * shape.hidden_size * (STATES_PER_LAYER * layers + 2 * shape.num_hidden_layers)
    logits = tokens * shape.vocab_size * (2 + 4 + 4)  # as computed, in 32 bits, and their gradient
    return float(HEADROOM * (weights + BYTES_PER_TRAINED * n_trained + states + logits) / GB)


def _bytes_of(name: str, parameter: torch.nn.Parameter, config: SpeechLlmConfig) -> float:
    """As it lies in memory, or would: an outline's weights are not quantised."""
    if config.bits == 4 and parameter.is_meta and not parameter.requires_grad and re.search(LORA_TARGETS, name):
        return parameter.numel() * BYTES_IN_4_BIT
    return float(parameter.numel() * parameter.element_size())


def available_gb(device: torch.device, config: SpeechLlmConfig) -> float:
    if config.memory_gb:
        return config.memory_gb
    if device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory) / GB
    return float(psutil.virtual_memory().available) / GB


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else CPU


def _hours(device: torch.device, config: SpeechLlmConfig, n_parameters: int, n_tokens: float) -> float:
    operations = (8.0 if config.checkpointing else 6.0) * n_parameters * n_tokens
    return operations / (USED_SHARE * _operations_per_second(device)) / 3600.0


def _operations_per_second(device: torch.device) -> float:
    """Of a matrix product, measured for a tenth of a second or three products."""
    kind = torch.bfloat16 if device.type == "cuda" else torch.float32
    size = MATRIX * (8 if device.type == "cuda" else 1)
    a, b = (torch.ones(size, size, dtype=kind, device=device) for _ in range(2))

    def done() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    a @ b
    started, n = done(), 0
    while n < 3 or done() - started < 0.1:
        a @ b
        n += 1
    return 2.0 * size**3 * n / (done() - started)
