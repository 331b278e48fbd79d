"""Loading Phi-4-multimodal: the checkpoint, its tokenizer and front end, and the checks that they are what they seem.

transformers' own classes only, never code from a checkpoint: `model` and `revision` must name a checkpoint with native
weights, and `trust_remote_code` is False wherever it can be given. The control tokens stay ordinary text: as new
vocabulary they would be the only trained weights outside the adapter, and an adapter that is loaded elsewhere would
lose them.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message
from pipeline.quiet import without_progress_bars
from pipeline.speechllm import attention
from pipeline.speechllm.config import NATIVE_REVISION, SpeechLlmConfig
from pipeline.speechllm.prompts import ASSISTANT, AUDIO, END, USER
from pipeline.text import lines_of

MODEL_TYPE = "phi4_multimodal"
REMOTE_TYPES = ("phi4mm", "phi4_mm")  # of the published checkpoint's own code
STANDIN_FRONT_END = "ListenerFeatures"  # as `listening.py` saves it
# Full prefixes: without "model." transformers ignores them in silence, and bfloat16 audio meets 4-bit weights.
NOT_IN_4_BIT = ["lm_head", "model.embed_tokens_extend"]


@dataclass(frozen=True)
class Phi4:
    """The model (with its adapter once it is attached), the tokenizer, and the log-mel front end."""

    model: Any
    tokenizer: Any
    front_end: Any

    @property
    def device(self) -> torch.device:
        device: torch.device = next(self.model.parameters()).device
        return device


def load_checkpoint(config: SpeechLlmConfig, device: str) -> Phi4:
    """The checkpoint without an adapter. Raises ModelError saying what is missing and where it was looked for."""
    from transformers import AutoTokenizer, Phi4MultimodalForCausalLM

    without_progress_bars()
    where, source = _place(config.model, config.revision)
    checkpoint_config(config.model, config.revision)
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model, trust_remote_code=False, **source)
        front_end = _front_end(config.model).from_pretrained(config.model, **source)
        model = Phi4MultimodalForCausalLM.from_pretrained(
            config.model,
            # A processor computes in what was saved: bfloat16 as published, 32 bits for a small model of this machine.
            dtype=torch.bfloat16 if config.bits == 4 or torch.device(device).type != "cpu" else "auto",
            attn_implementation=attention.at_load(config.attention),
            quantization_config=quantisation(config),
            device_map=device if config.bits == 4 else None,
            trust_remote_code=False,
            **source,
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise ModelError(
            N_("The model {where} cannot be loaded: {reason}"), where=where, reason=first_line(error)
        ) from error
    _check_tokenizer(tokenizer, model.config, where)
    return Phi4(model if config.bits == 4 else model.to(device), tokenizer, front_end)


def _front_end(model: str) -> Any:
    """The class that turns audio into what the encoder reads: the stand-in's where a folder says so, else Phi-4's."""
    from transformers import Phi4MultimodalFeatureExtractor

    file = Path(model) / "preprocessor_config.json"
    if file.is_file() and artifacts.read_json(file).get("feature_extractor_type") == STANDIN_FRONT_END:
        from pipeline.speechllm.listening import ListenerFeatures

        return ListenerFeatures
    return Phi4MultimodalFeatureExtractor


def quantisation(config: SpeechLlmConfig) -> Any:
    """NF4 with double quantisation (Dettmers et al. 2023); None for 16 bits."""
    if config.bits != 4:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16, llm_int8_skip_modules=NOT_IN_4_BIT,
    )  # fmt: skip


def checkpoint_config(model: str, revision: str) -> Any:
    """The shape that a checkpoint has, without its weights. Raises ModelError where it cannot be read, or is meant for
    code of its own, which is never run."""
    from transformers import AutoConfig

    where, source = _place(model, revision)
    if model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
        raise ModelError(
            N_("There is no folder {model}. Give a folder with the checkpoint, or a hub name."), model=model
        )
    _refuse_remote_code(model, where)
    try:
        config = AutoConfig.from_pretrained(model, trust_remote_code=False, **source)
    except (OSError, ValueError, KeyError) as error:
        if "trust_remote_code" in str(error):
            raise _remote_code_only(where) from error
        raise ModelError(
            N_(
                "The model {where} is neither a local folder nor can it be fetched: {reason} Without a network, "
                "give --model the folder of a downloaded checkpoint."
            ),
            where=where,
            reason=first_line(error),
        ) from error
    if config.model_type != MODEL_TYPE:
        raise ModelError(
            N_("{where} is of type {kind!r}, not {expected!r}. {advice}"),
            where=where,
            kind=config.model_type,
            expected=MODEL_TYPE,
            advice=Message(_NATIVE, revision=NATIVE_REVISION),
        )
    return config


_NATIVE = N_(
    "Take a revision with native weights: `--revision {revision}` of microsoft/Phi-4-multimodal-instruct, or the "
    "folder that it was downloaded to."
)


def _remote_code_only(where: str) -> ModelError:
    return ModelError(
        N_("{where} has only remote code (Python files of its own), which is never run. {advice}"),
        where=where,
        advice=Message(_NATIVE, revision=NATIVE_REVISION),
    )


def _place(model: str, revision: str) -> tuple[str, dict[str, Any]]:
    """A checkpoint as messages name it, and what transformers is told beside its name."""
    if Path(model).is_dir():
        return model, {}
    where = Message(N_("{model} at {revision}"), model=model, revision=revision) if revision else model
    return where, {"revision": revision or None}


def _refuse_remote_code(model: str, where: str) -> None:
    """Before transformers asks whether to run it. Only a folder can be looked into; a hub name is refused by its
    type."""
    file = Path(model) / "config.json"
    if not file.is_file():
        return
    try:
        config = artifacts.read_json(file)
    except (OSError, ValueError) as error:
        raise ModelError(N_("{path} cannot be read: {reason}."), path=str(file), reason=said_by(error)) from error
    if not isinstance(config, dict):
        raise ModelError(N_("{file} is damaged: expected an object with the model's shape."), file=str(file))
    if config.get("model_type") in REMOTE_TYPES or ("auto_map" in config and config.get("model_type") != MODEL_TYPE):
        raise _remote_code_only(where)


def _check_tokenizer(tokenizer: Any, config: Any, where: str) -> None:
    """The audio token must be the one the model replaces by audio, and the turns' tokens whole ones."""
    wrong = [
        token for token in (USER, END, ASSISTANT, AUDIO) if len(tokenizer.encode(token, add_special_tokens=False)) != 1
    ]
    if not wrong and tokenizer.convert_tokens_to_ids(AUDIO) != config.audio_config.audio_token_id:
        wrong = [AUDIO]
    if wrong:
        raise ModelError(
            N_(
                "The tokenizer of {where} does not fit the model: {wrong} is not the token it should be. Take the "
                "tokenizer of the same revision."
            ),
            where=where,
            wrong=", ".join(wrong),
        )


@contextmanager
def names_of_before() -> Iterator[None]:
    """Nobody is told that the names which transformers has had for checkpointing are deprecated: peft asks by them, and
    only recent releases know others."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*gradient_checkpointing.* is deprecated", FutureWarning)
        yield


def first_line(error: BaseException) -> str:
    text = lines_of(str(error).strip())
    return (text[0] if text else type(error).__name__).rstrip(".") + "."
