"""What a model costs on a device, before it is trained: parameters, multiplications, flash and working memory."""

from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message, joined
from pipeline.wakeword.config import ModelConfig, WakewordConfig
from pipeline.wakeword.devices import NO_EMBEDDINGS, TARGETS, Target
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.models import for_windows, make_model
from pipeline.wakeword.models.streaming import StreamingConv

RUNTIME_KB = 60.0  # of an interpreter for microcontrollers with the operators used here


@dataclass(frozen=True)
class Budget:
    """`macs` of one window; of a streaming model, of one step of it. `flash_kb` are the weights and, on a
    microcontroller, the runtime; `ram_kb` the largest input and output of a layer that must be there together, with the
    window of features. The network of a speech embedding is not among them."""

    parameters: int
    macs: int
    flash_kb: float
    ram_kb: float

    def beyond(self, target: Target, hop_s: float) -> list[str]:
        """In words, what the target cannot give."""
        needs = (
            (N_("{need} kB of flash, {device} has {available}"), self.flash_kb, target.flash_kb),
            (N_("{need} kB of memory, {device} has {available}"), self.ram_kb, target.ram_kb),
            (
                N_("{need} million multiplications per second, {device} can do {available}"),
                self.macs / hop_s / 1e6, target.macs_per_s / 1e6,
            ),
        )  # fmt: skip
        return [
            Message(text, need=round(need), device=Message(target.title), available=round(available))
            for text, need, available in needs
            if need > available
        ]


@lru_cache(maxsize=64)  # a training asks twice, a search for each trial, a page at every run
def budget_of(config: ModelConfig, features: FeatureConfig, n_words: int = 1) -> Budget:
    """By building the model without weights and following one window through it. Recurrent layers are counted step by
    step. Raises TrainingError for windows that the model cannot hear."""
    with torch.device("meta"):
        model = make_model(config, features, Cmvn.none(features.n_bins), n_words).eval().to("meta")
        window = torch.empty(1, *features.shape)
    is_stream = isinstance(model, StreamingConv)
    largest = 0
    macs = 0

    def watch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        nonlocal largest, macs
        out = output if isinstance(output, Tensor) else output[0]
        if not inputs[0].numel() or not out.numel():
            raise RuntimeError("nothing is left of the window")  # and the answer would be the same to all
        largest = max(largest, inputs[0].numel() + out.numel())
        of_layer = _macs(module, inputs[0], out)
        macs += of_layer // out.shape[2] if is_stream and isinstance(module, nn.Conv1d) else of_layer

    leaves = [module for module in model.modules() if not list(module.children())]
    handles = [leaf.register_forward_hook(watch) for leaf in leaves]
    with torch.inference_mode(), for_windows(config.name, features.shape):
        model(window)
    for handle in handles:
        handle.remove()
    n_bytes = 1 if config.int8 else 4
    parameters = sum(parameter.numel() for parameter in model.parameters())
    runtime_kb = RUNTIME_KB if config.target == "esp32_s3" else 0.0
    return Budget(
        parameters, macs, parameters * n_bytes / 1024 + runtime_kb, (largest + window.numel()) * n_bytes / 1024
    )


def budget_and_devices(config: WakewordConfig) -> tuple[Budget, dict[str, list[str]]]:
    """What the model of a training costs, and for each device, in words, what it lacks for it."""
    n_words, hears_embeddings = max(1, len(config.data.names)), config.features.kind == "embedding"
    budgets = {name: budget_of(replace(config.model, target=name), config.features, n_words) for name in TARGETS}
    beyond = {
        name: ([Message(NO_EMBEDDINGS)] if hears_embeddings and not target.takes_embeddings else [])
        + budgets[name].beyond(target, config.detector.hop_s)
        for name, target in TARGETS.items()
    }
    return budgets[config.model.target], beyond


def check_budget(config: ModelConfig, features: FeatureConfig, hop_s: float, n_words: int = 1) -> Budget:
    """Raises TrainingError for a model that its target cannot hold or run."""
    budget = budget_of(config, features, n_words)
    target = TARGETS[config.target]
    beyond = budget.beyond(target, hop_s)
    if beyond:
        hint = "" if config.int8 else Message(N_(", with model.int8"))
        raise TrainingError(
            N_(
                "{name} at width {width:g} does not fit: it needs {reasons}. Choose a narrower model{hint} or "
                "another target."
            ),
            name=config.name,
            width=config.width,
            reasons=joined(beyond),
            hint=hint,
        )
    return budget


def _macs(module: nn.Module, given: Tensor, out: Tensor) -> int:
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return out.numel() * module.weight[0].numel()
    if isinstance(module, nn.Linear):
        return out.numel() * module.in_features
    if isinstance(module, nn.RNNBase):
        steps = given.shape[1]
        weights = [p for name, p in module.named_parameters() if name.startswith("weight")]
        return steps * sum(weight.numel() for weight in weights)
    return 0
