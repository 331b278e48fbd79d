"""The checkpoint's own speech adapter, read in every layout that it is found in.

PEFT takes a folder as it is: keys without its prefix are passed over and leave zeros, bare names of targets also reach
into the audio encoder, and the expression of the published remote code fits no module at all. So the weights are read
here by the layer and projection that their keys name, whatever stands around them, and attached to exactly those.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.i18n import N_, NN_, Message, ended
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.text import lines_of

if TYPE_CHECKING:
    import torch

SPEECH_ADAPTER = "speech-lora"  # the folder in the published checkpoint
CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"
PEFT_PREFIX = "base_model.model."
KEY = re.compile(
    r"(?P<prefix>base_model\.model\.)?(?:model\.)?(?P<module>layers\.\d+\.\w+\.\w+)"
    r"\.lora_(?P<side>[AB])(?:\.(?P<name>\w+))?\.weight"
)
SPEECH_NAME = "speech"


@dataclass(frozen=True)
class AdapterShape:
    """What a stored adapter is, without its numbers. `modules` are whole names in the model; `layout` says in words
    how the folder differs from what PEFT writes."""

    r: int
    alpha: float
    dropout: float
    rank_stabilised: bool
    modules: tuple[str, ...]
    layout: tuple[str, ...]

    def text(self) -> str:
        return f"its own speech adapter: {'; '.join(self.layout) or 'as PEFT writes it'}"

    def overridden(self, config: SpeechLlmConfig) -> str | None:
        """Which settings have no effect beside it; None where all agree."""
        stored = {"r": self.r, "alpha": self.alpha, "dropout": self.dropout}
        differing = [f"{name} {value:g} (not {getattr(config, name):g})" for name, value in stored.items()
                     if getattr(config, name) != value]  # fmt: skip
        return None if not differing else f"the checkpoint's adapter stands, with {', '.join(differing)}"


def read_shape(config: SpeechLlmConfig) -> AdapterShape:
    """From the keys and shapes alone. Raises ModelError for a folder that holds no such adapter."""
    from safetensors import safe_open

    settings, weights = _files(config)
    with safe_open(weights, "pt") as tensors:
        shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    return _shape(settings, shapes)


def read_weights(config: SpeechLlmConfig) -> "tuple[AdapterShape, dict[str, torch.Tensor]]":
    """With the weights under PEFT's names. Raises ModelError for a folder that holds no such adapter, or one that
    changes nothing in a place: its `lora_B` is all zeros, as a faulty conversion leaves it."""
    from safetensors.torch import load_file

    settings, file = _files(config)
    tensors = load_file(file)
    shape = _shape(settings, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    weights = {
        f"{PEFT_PREFIX}model.{match['module']}.lora_{match['side']}.weight": tensors[key]
        for key, match in _chosen(tensors).items()
    }
    zero = [name for name, tensor in weights.items() if ".lora_B." in name and not bool(tensor.any())]
    if zero:
        raise ModelError(
            NN_(
                "{n} of {total} weights of the adapter in {folder} is all zeros, {first}: a faulty conversion. "
                "Download the folder again.",
                "{n} of {total} weights of the adapter in {folder} are all zeros, first {first}: a faulty "
                "conversion. Download the folder again.",
            ),
            n=len(zero),
            total=len(shape.modules),
            folder=str(file.parent),
            first=zero[0],
        )
    return shape, weights


def attach_weights(model: Any, shape: AdapterShape, weights: "dict[str, torch.Tensor]") -> Any:
    """The model with a stored adapter, trainable. Raises ModelError where the two do not fit."""
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from torch import nn

    there = dict(model.named_modules())
    missing = [module for module in shape.modules if not isinstance(there.get(module), nn.Linear)]
    if missing:
        raise ModelError(
            N_("The adapter is for {missing}, which this model does not have. Take that of its revision."),
            missing=missing[0],
        )
    lora = LoraConfig(
        r=shape.r, lora_alpha=shape.alpha, lora_dropout=shape.dropout, use_rslora=shape.rank_stabilised,
        target_modules=expression(shape.modules), task_type="CAUSAL_LM", bias="none",
    )  # fmt: skip
    attached = get_peft_model(model, lora)
    try:
        result = set_peft_model_state_dict(attached, weights)
    except RuntimeError as error:
        raise ModelError(
            N_("The adapter does not fit the model: {reason}"), reason=lines_of(str(error))[-1].strip()
        ) from error
    left = [*result.unexpected_keys, *(key for key in result.missing_keys if "lora_" in key)]
    if left:
        raise ModelError(
            NN_(
                "{n} weight of the adapter found no place, {first}.",
                "{n} weights of the adapter found no place, first {first}.",
            ),
            n=len(left),
            first=left[0],
        )
    return attached


def expression(modules: Iterable[str]) -> str:
    """A regular expression for exactly these modules, short where every layer has the same."""
    by_layer: dict[str, set[str]] = {}
    for module in modules:
        _, layer, projection = re.split(r"layers\.(\d+)\.", module)
        by_layer.setdefault(layer, set()).add(projection)
    layers = "|".join(sorted(by_layer, key=int))
    if len({frozenset(projections) for projections in by_layer.values()}) == 1:
        projections = "|".join(map(re.escape, sorted(next(iter(by_layer.values())))))
        return rf"model\.layers\.({layers})\.({projections})"
    return "|".join(map(re.escape, sorted(modules)))


def _files(config: SpeechLlmConfig) -> tuple[dict[str, Any], Path]:
    from transformers.utils import cached_file

    names = (CONFIG_FILE, WEIGHTS_FILE)
    remedy = Message(N_("Take adapter fresh without merge_speech, or a checkpoint that has it."))
    folder = Path(config.model) / SPEECH_ADAPTER
    is_here = Path(config.model).is_dir()
    if is_here and (missing := [name for name in names if not (folder / name).is_file()]):
        raise ModelError(
            N_("{model} has no adapter in {subfolder}/: {missing} is missing. {remedy}"),
            model=config.model,
            subfolder=SPEECH_ADAPTER,
            missing=missing[0],
            remedy=remedy,
        )
    try:
        paths = [
            folder / name if is_here
            else cached_file(config.model, name, subfolder=SPEECH_ADAPTER, revision=config.revision or None)
            for name in names
        ]  # fmt: skip
        settings = artifacts.read_json(Path(str(paths[0])))
    except (OSError, ValueError) as error:
        raise ModelError(
            N_("{model} has no adapter in {subfolder}/ that can be read: {reason} {remedy}"),
            model=config.model,
            subfolder=SPEECH_ADAPTER,
            reason=ended(lines_of(str(error))[0]),
            remedy=remedy,
        ) from error
    if not isinstance(settings, dict):
        raise ModelError(N_("{file} is damaged: expected an object with the adapter's settings."), file=str(paths[0]))
    return settings, Path(str(paths[1]))


def _chosen(keys: Iterable[str]) -> dict[str, re.Match[str]]:
    """The keys of the speech adapter; where several adapters lie in one file, that of this name."""
    matches = {key: match for key in keys if (match := KEY.fullmatch(key))}
    names = {match["name"] for match in matches.values()}
    if len(names) > 1:
        matches = {key: match for key, match in matches.items() if match["name"] == SPEECH_NAME}
    return matches


def _shape(settings: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> AdapterShape:
    """Raises ModelError for what is no LoRA of the language model's layers."""
    chosen = _chosen(shapes)
    strange = [key for key in shapes if KEY.fullmatch(key) is None]
    if not chosen or strange:
        first = Message(N_(", first {name}"), name=strange[0]) if strange else ""
        raise ModelError(
            NN_(
                "The adapter in {subfolder}/ has {n_chosen} LoRA weights of the language model and {n} other{first}. "
                "Take one that has the former alone.",
                "The adapter in {subfolder}/ has {n_chosen} LoRA weights of the language model and {n} others{first}. "
                "Take one that has the former alone.",
            ),
            subfolder=SPEECH_ADAPTER,
            n_chosen=len(chosen),
            n=len(strange),
            first=first,
        )
    ranks = {shapes[key][0] for key, match in chosen.items() if match["side"] == "A"}
    modules = {side: {f"model.{m['module']}" for m in chosen.values() if m["side"] == side} for side in "AB"}
    if modules["A"] != modules["B"] or len(ranks) != 1:
        raise ModelError(
            N_(
                "The adapter in {subfolder}/ is incomplete: {n_a} weights A, {n_b} weights B, ranks {ranks}. "
                "Download the folder again."
            ),
            subfolder=SPEECH_ADAPTER,
            n_a=len(modules["A"]),
            n_b=len(modules["B"]),
            ranks=", ".join(map(str, sorted(ranks))),
        )
    (r,) = ranks
    try:
        alpha, dropout = float(settings["lora_alpha"]), float(settings.get("lora_dropout") or 0.0)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            N_("{subfolder}/{file} does not say the adapter's lora_alpha."), subfolder=SPEECH_ADAPTER, file=CONFIG_FILE
        ) from error
    return AdapterShape(
        r, alpha, dropout, bool(settings.get("use_rslora")), tuple(sorted(modules["A"])),
        tuple(_layout(chosen, settings.get("target_modules"), modules["A"])),
    )  # fmt: skip


def _layout(chosen: dict[str, re.Match[str]], targets: Any, modules: set[str]) -> Iterable[str]:
    if any(match["prefix"] is None for match in chosen.values()):
        yield f"keys without {PEFT_PREFIX}"
    if names := {match["name"] for match in chosen.values()} - {None}:
        yield f"keys with .{names.pop()}."
    if isinstance(targets, list):
        if any("." not in str(target) for target in targets):
            yield "targets as bare names, which would reach into the audio encoder"
    elif not isinstance(targets, str) or not _fits(targets, modules):
        yield "targets as an expression for the remote code's modules"


def _fits(targets: str, modules: set[str]) -> bool:
    try:
        return all(re.fullmatch(targets, module) for module in modules)
    except re.error:
        return False
