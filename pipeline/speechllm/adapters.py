"""What is trained: a LoRA on the language model, the checkpoint's own, the audio part, everything, or nothing."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, NN_, Message, joined
from pipeline.speechllm.adapter_files import attach_weights, read_weights
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.phi4 import Phi4, names_of_before
from pipeline.text import lines_of

AUDIO_PART = "embed_tokens_extend.audio_embed."
VISION_PART = "embed_tokens_extend.image_embed."
NAMES = re.compile(r"[\w\s,]+")  # no sign of a regular expression


def attach_adapter(phi4: Phi4, config: SpeechLlmConfig) -> Phi4:
    """With what the configuration trains, ready to train. Raises ModelError where it is not what it should be."""
    with names_of_before():
        return _attached(phi4, config)


def _attached(phi4: Phi4, config: SpeechLlmConfig) -> Phi4:
    model = phi4.model
    # Not peft's prepare_model_for_kbit_training: it makes all that is not in 4 bits 32-bit, which here (embeddings of
    # 200,000 tokens, the audio and vision encoders) takes as much as 4 bits save, though none of it is trained.
    if config.checkpointing and config.adapter != "none":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model.config.use_cache = config.adapter == "none"
    if config.merge_speech:
        # On 4-bit weights this rounds once more.
        model = attach_weights(model, *read_weights(config)).merge_and_unload()
    if config.adapter == "pretrained":
        model = attach_weights(model, *read_weights(config))
    elif config.adapter in ("full", "none"):
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(config.adapter == "full" and VISION_PART not in name)
    else:
        model = _with_fresh_lora(model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:  # steps of 2e-5 vanish in bfloat16
            parameter.data = parameter.data.float()
    attached = replace(phi4, model=model)
    check_adapter(attached.model, config)
    return attached


def target_expression(lora_targets: str) -> str:
    """The regular expression for the modules that get a LoRA. Bare names are looked for in the language model's own
    layers alone: taken as they are, and by `all-linear`, they would reach into audio and vision."""
    if not NAMES.fullmatch(lora_targets):
        return lora_targets
    names = [name.strip() for name in lora_targets.split(",") if name.strip()]
    return rf"model\.layers\.\d+\.(self_attn|mlp)\.({'|'.join(names)})"


def targets_in(model: nn.Module, config: SpeechLlmConfig) -> list[str]:
    """The modules that get a LoRA. Raises ModelError where there are none."""
    try:
        pattern = re.compile(target_expression(config.lora_targets))
    except re.error as error:
        raise ModelError(
            N_("lora_targets {targets!r} is no regular expression: {reason}."),
            targets=config.lora_targets,
            reason=said_by(error),
        ) from error
    targets = [name for name, module in model.named_modules() if pattern.fullmatch(name)]
    if not targets:
        raise ModelError(
            N_(
                "No module of the model fits lora_targets {targets!r}. Its layers have qkv_proj, o_proj, "
                "gate_up_proj and down_proj."
            ),
            targets=config.lora_targets,
        )
    return targets


def check_adapter(model: Any, config: SpeechLlmConfig) -> None:
    """Raises ModelError unless exactly what should be trained is: two weights of a LoRA on every target, the modules
    that are saved whole, and nothing else."""
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    if config.adapter == "none":
        return
    if config.adapter == "full":
        if not any(AUDIO_PART in name for name in trained):
            raise ModelError(N_("The audio part is not trained, though everything should be."))
        return
    lora = [name for name in trained if "lora_" in name]
    whole = [name for name in trained if "modules_to_save" in name]
    strange = [name for name in trained if name not in {*lora, *whole}]
    n_expected = 2 * len(list(_lora_modules(model)))
    wrong: list[str] = []
    if not lora or len(lora) != n_expected:
        text = NN_(
            "{n} LoRA weight is trained, expected {expected}", "{n} LoRA weights are trained, expected {expected}"
        )
        wrong.append(Message(text, n=len(lora), expected=n_expected))
    if strange:
        text = NN_("{n} other weight is trained, {name}", "{n} other weights are trained, for instance {name}")
        wrong.append(Message(text, n=len(strange), name=strange[0]))
    missing = [module for module in config.saved_modules if not any(f".{module}." in name for name in whole)]
    if missing and config.adapter != "pretrained":
        wrong.append(Message(N_("nothing of {modules} is trained"), modules=", ".join(missing)))
    if wrong:
        raise ModelError(N_("The adapter is not attached as it should be: {reasons}."), reasons=joined(wrong))


def trainable(parameters: Iterable[nn.Parameter]) -> tuple[int, int]:
    """How many numbers are trained, and how many there are; of 4-bit weights every number counts."""
    weights = list(parameters)
    sizes = [p.numel() * (2 if p.dtype == torch.uint8 else 1) for p in weights]
    return sum(n for n, p in zip(sizes, weights, strict=True) if p.requires_grad), sum(sizes)


def _with_fresh_lora(model: Any, config: SpeechLlmConfig) -> Any:
    from peft import LoraConfig, get_peft_model

    n_targets = len(targets_in(model, config))
    lora = LoraConfig(
        r=config.r, lora_alpha=config.alpha, lora_dropout=config.dropout,
        target_modules=target_expression(config.lora_targets), task_type="CAUSAL_LM", bias="none",
        # Through peft, so that what is trained whole is saved and loaded with the adapter.
        modules_to_save=config.saved_modules or None,
    )  # fmt: skip
    try:
        attached = get_peft_model(model, lora)
    except ValueError as error:
        raise ModelError(N_("The LoRA cannot be attached: {reason}"), reason=lines_of(str(error))[0]) from error
    if len(list(_lora_modules(attached))) != n_targets:
        raise ModelError(
            NN_(
                "The LoRA sits on {n} module, expected {expected}.",
                "The LoRA sits on {n} modules, expected {expected}.",
            ),
            n=len(list(_lora_modules(attached))),
            expected=n_targets,
        )
    return attached


def _lora_modules(model: nn.Module) -> Iterable[str]:
    return (name for name, module in model.named_modules() if name and hasattr(module, "lora_A") and len(module.lora_A))
