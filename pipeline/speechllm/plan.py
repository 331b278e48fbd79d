"""What a run will need, estimated before it starts: parameters, memory, steps, hours; here or on another GPU.

Memory is an estimate from sizes alone: weights, and for each trained number a gradient and two moments; the states of
one layer at a time where gradients are checkpointed, of all layers otherwise; the logits, which are computed where
answers are; or, where that is more, what answering keeps of its prompts. docs/results/phi4-gpu.md has it beside what an
H100 took. Hours follow from the multiplications a step takes
(6 a parameter and token, 8 with checkpointing; Kaplan et al. 2020) and the rate measured on this device just now, or
published for another. Answers are written token by token: each reads all weights once a batch, so that the memory's
speed counts, or the multiplications (2 a parameter and token) where those take longer.
"""

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from pipeline.devices import Gpu
from pipeline.errors import TrainingError
from pipeline.speechllm.adapters import target_expression, trainable
from pipeline.speechllm.config import PROJECTIONS, SpeechLlmConfig
from pipeline.speechllm.generation import MAX_NEW_TOKENS
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.plan_summary import CPU, Plan, refusal
from pipeline.speechllm.samples import Sample

GB = 1e9
BYTES_IN_4_BIT = 0.5 + 0.127 / 8  # with the scales of NF4, quantised in turn (Dettmers et al. 2023)
BYTES_PER_TRAINED = 4 + 8  # gradient, two moments; the weight itself is counted with the others
STATES_PER_LAYER = 50  # bytes per token and hidden unit that one layer keeps, with its LoRA (measured)
BYTES_PER_LOGIT = 4 + 4 + 4  # in 32 bits, their log softmax, and a gradient (measured)
ANSWER_PLACES = 210  # with logits, in a batch of eight of speechocean762; 50 in the mean
HEADROOM = 1.1
USED_SHARE = 0.4  # of a plain matrix product's speed that training reaches
USED_BANDWIDTH = 0.5  # of a plain copy's speed that writing answers reaches
MATRIX = 1024
COPIED_BYTES = 64 * 2**20
ANSWER_TOKENS = 42.0  # of the longest answer in a batch of sixteen of speechocean762


@dataclass(frozen=True)
class Speed:
    """Operations and bytes a second that a training and its evaluation reach."""

    operations: float
    bytes: float


def make_plan(
    phi4: Phi4,
    config: SpeechLlmConfig,
    samples: Sequence[Sample],
    tokens: Sequence[int],
    devices: int = 1,
    device: torch.device | None = None,
    *,
    n_evaluated: int = 0,
    n_at_end: int = 0,
    gpu: Gpu | None = None,
    notes: Sequence[str] = (),
) -> Plan:
    """`tokens` are the lengths of some of the samples, `device` where it is to run (by default where the model is),
    `n_evaluated` how many samples are answered after every epoch, `n_at_end` once; `gpu` is planned for in place of
    `device`."""
    device = device or phi4.device
    n_trained, n_all = trainable(phi4.model.parameters())
    mean, longest = sum(tokens) / len(tokens), max(tokens)
    steps = config.epochs * math.ceil(len(samples) / (config.batch * config.accumulation))
    speed = _speed_of(gpu) if gpu else _measured_speed(device)
    trained = mean * len(samples) * config.epochs / devices
    n_answers = (n_evaluated * max(1, config.epochs) + n_at_end) / devices
    weights = sum(_bytes_of(name, p, config) for name, p in phi4.model.named_parameters())
    return Plan(
        n_trained=n_trained,
        n_parameters=n_all,
        trained_share=n_trained / n_all,
        n_samples=len(samples),
        tokens_per_sample=mean,
        steps=steps,
        memory_gb=memory_gb(phi4.model, config.on_each_of(devices), longest),
        available_gb=config.memory_gb or (gpu.memory_gb if gpu else available_gb(device)),
        hours=(8.0 if config.checkpointing else 6.0) * n_all * trained / speed.operations / 3600.0,
        devices=devices,
        device=gpu.name if gpu else device_name(device),
        evaluation_hours=_answer_s(speed, config, n_all, weights, mean) * n_answers / 3600.0,
        n_evaluated=n_evaluated,
        n_at_end=n_at_end,
        notes=tuple(notes),
    )


def answered(config: SpeechLlmConfig, n_held: int, n_left_out: int) -> tuple[int, int]:
    """How many samples are answered after every epoch, and how many once at the end, of those of the part that is
    measured on and of the training speakers that are left out."""
    return (n_left_out, n_held) if config.validates_by_figures and config.epochs else (n_held, 0)


def refuse_impossible(plan: Plan, config: SpeechLlmConfig) -> None:
    """Raises TrainingError where the memory does not suffice, with what would."""
    text = refusal(plan, config)
    if text is not None:
        raise TrainingError(text)


def memory_gb(model: Any, config: SpeechLlmConfig, longest: int) -> float:
    weights = sum(_bytes_of(name, p, config) for name, p in model.named_parameters())
    n_trained, _ = trainable(model.parameters())
    shape = model.config
    cached = 2 * 2 * shape.num_hidden_layers * shape.hidden_size * shape.num_key_value_heads
    cached //= shape.num_attention_heads  # bytes per token: keys and values of all layers
    answering = config.evaluation_batch * (longest + MAX_NEW_TOKENS) * cached
    if not config.epochs:
        return float(HEADROOM * (weights + answering) / GB)
    tokens = config.batch * longest
    of_layer = tokens * shape.hidden_size * STATES_PER_LAYER
    logits = config.batch * min(longest, ANSWER_PLACES) * shape.vocab_size * BYTES_PER_LOGIT
    if config.checkpointing:  # each layer's input, and either the logits or one layer computed anew
        states = tokens * shape.hidden_size * 2 * shape.num_hidden_layers + max(logits, of_layer)
    else:
        states = of_layer * shape.num_hidden_layers + logits
    return float(HEADROOM * (weights + BYTES_PER_TRAINED * n_trained + max(states, answering)) / GB)


def _bytes_of(name: str, parameter: torch.nn.Parameter, config: SpeechLlmConfig) -> float:
    """As it lies in memory, or would: an outline's weights are not quantised."""
    is_quantised = config.bits == 4 and parameter.is_meta and not parameter.requires_grad
    if is_quantised and re.search(target_expression(PROJECTIONS), name):
        return parameter.numel() * BYTES_IN_4_BIT
    return float(parameter.numel() * parameter.element_size())


def scoring_gb(model: Any, config: SpeechLlmConfig) -> float:
    """Memory that answering one recording at a time takes: the weights, and little beside them."""
    return float(HEADROOM * sum(_bytes_of(name, p, config) for name, p in model.named_parameters()) / GB)


def available_gb(device: torch.device) -> float:
    """What is free, and what this process has already: others may compute on the same GPU."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free + torch.cuda.memory_reserved(device)) / GB
    return float(psutil.virtual_memory().available) / GB


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else CPU if device.type == "cpu" else device.type


def _answer_s(speed: Speed, config: SpeechLlmConfig, n_parameters: int, weights: float, prompt_tokens: float) -> float:
    """Seconds for one answer, as one of a batch."""
    batch = config.evaluation_batch
    reading = 2.0 * n_parameters * prompt_tokens / speed.operations
    token_s = max(weights / speed.bytes, 2.0 * n_parameters * batch / speed.operations)
    return reading + ANSWER_TOKENS * token_s / batch


def _speed_of(gpu: Gpu) -> Speed:
    return Speed(USED_SHARE * gpu.teraflops * 1e12, USED_BANDWIDTH * gpu.bandwidth_gb_s * GB)


def _measured_speed(device: torch.device) -> Speed:
    """Of a matrix product and of a copy, each measured for a tenth of a second or three times."""
    kind = torch.float32 if device.type == "cpu" else torch.bfloat16
    size = MATRIX * (8 if device.type == "cuda" else 1)
    a, b = (torch.ones(size, size, dtype=kind, device=device) for _ in range(2))
    source, target = (torch.ones(COPIED_BYTES // 4, device=device) for _ in range(2))

    def seconds_of(work: Any) -> float:
        def now() -> float:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            return time.perf_counter()

        work()
        started, n = now(), 0
        while n < 3 or now() - started < 0.1:
            work()
            n += 1
        return (now() - started) / n

    return Speed(
        USED_SHARE * 2.0 * size**3 / seconds_of(lambda: a @ b),
        USED_BANDWIDTH * 2.0 * COPIED_BYTES / seconds_of(lambda: target.copy_(source)),
    )
