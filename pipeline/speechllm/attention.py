"""Which attention each part of the model computes with.

Flash attention is for the language model alone. The audio encoder passes a four-dimensional float bias as its mask;
transformers' unpadding takes it for one row of zeros and ones per sample and indexes out of bounds. Audio and vision
therefore stay on `sdpa` whatever the language model does, and `attention: sdpa` switches unpadding off altogether.
"""

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

import torch

from pipeline.errors import ModelError
from pipeline.i18n import N_, Message
from pipeline.speechllm.config import AUTO, FLASH
from pipeline.text import lines_of

TORCH = "sdpa"


def at_load(attention: str) -> dict[str, str]:
    """What the parts are loaded with: flash attention comes later, once a trial batch worked."""
    return by_part(TORCH if attention in (AUTO, FLASH) else attention)


def by_part(language_model: str) -> dict[str, str]:
    """In transformers' form, the language model under ""."""
    return {"": language_model, "audio_config": TORCH, "vision_config": TORCH}


def settle(
    model: Any, attention: str, batch: Callable[[], Mapping[str, torch.Tensor]], log: Callable[[str], None]
) -> str:
    """Choose the language model's attention for a model that is loaded, and say why.

    Args:
        attention: As in the settings; `auto` is flash attention where it can run.
        batch: Inputs to try flash attention with, on the model's device.

    Raises ModelError where flash attention was asked for and cannot run.
    """
    if attention not in (AUTO, FLASH):
        log(f"Attention: {attention} in the language model, {TORCH} in the audio encoder.")
        return attention
    reason = obstacle(next(model.parameters()).device) or _failure(model, batch)
    if reason is None:
        log(f"Attention: {FLASH} in the language model, {TORCH} in the audio encoder; a trial batch worked.")
        return FLASH
    if attention == FLASH:
        raise ModelError(N_("Flash attention cannot be used: {reason}. Take --override attention=sdpa."), reason=reason)
    log(f"Attention: {TORCH} in all parts; flash attention cannot be used: {reason}.")
    return TORCH


def obstacle(device: torch.device) -> str | None:
    """Why flash attention cannot run here at all; None where a trial decides."""
    if device.type != "cuda":
        return Message(N_("it needs a CUDA device, and this is {device}"), device=device.type)
    if importlib.util.find_spec("flash_attn") is None:
        return Message(N_("the package {package} is not installed"), package="flash-attn")
    return None


def _failure(model: Any, batch: Callable[[], Mapping[str, torch.Tensor]]) -> str | None:
    """Why a batch fails with flash attention, which is then switched off again; None where it works and stays on."""
    was_training = model.training
    model.eval()
    try:
        model.set_attn_implementation(by_part(FLASH))
        with torch.inference_mode():
            logits = model(**batch()).logits
        is_finite = bool(torch.isfinite(logits).all())
        reason = None if is_finite else Message(N_("a trial batch gave values that are not finite"))
    except (ImportError, ValueError, RuntimeError, IndexError, TypeError) as error:
        reason = Message(
            N_("a trial batch failed ({kind}: {reason})"),
            kind=type(error).__name__,
            reason=lines_of(str(error))[0] if str(error) else "",
        )
    finally:
        model.train(was_training)
    if reason is not None:
        model.set_attn_implementation(by_part(TORCH))
    return reason
