"""Everything that knows Phi-4-multimodal: loading it, its adapters, and the checks that they are what they seem.

transformers' own classes only, never code from a checkpoint: `model` and `revision` must name a checkpoint with native
weights. The control tokens stay ordinary text: as new vocabulary they would be the only trained weights outside the
adapter, and an adapter that is loaded elsewhere would lose them.
"""

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pipeline.errors import ModelError
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.prompts import ASSISTANT, AUDIO, END, USER
from pipeline.text import lines_of

MODEL_TYPE = "phi4_multimodal"
SPEECH_ADAPTER = "speech-lora"  # the folder in the published checkpoint
AUDIO_PART = "embed_tokens_extend.audio_embed."
# The language model's own layers: `all-linear`, and the bare names, would reach into audio and vision.
LORA_TARGETS = r"model\.layers\.\d+\.(self_attn\.(qkv_proj|o_proj)|mlp\.(gate_up_proj|down_proj))"
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
    from transformers import AutoTokenizer, Phi4MultimodalFeatureExtractor, Phi4MultimodalForCausalLM

    where = f"{config.model}{f' at {config.revision}' if config.revision else ''}"
    source: dict[str, Any] = {} if Path(config.model).is_dir() else {"revision": config.revision or None}
    _check_checkpoint(config.model, source, where)
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model, **source)
        front_end = Phi4MultimodalFeatureExtractor.from_pretrained(config.model, **source)
        model = Phi4MultimodalForCausalLM.from_pretrained(
            config.model,
            dtype=torch.bfloat16,
            attn_implementation=attention(device),
            quantization_config=quantisation(config),
            device_map=device if config.bits == 4 else None,
            **source,
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise ModelError(f"The model {where} cannot be loaded: {_first_line(error)}") from error
    _check_tokenizer(tokenizer, model.config, where)
    return Phi4(model if config.bits == 4 else model.to(device), tokenizer, front_end)


def attach_adapter(phi4: Phi4, config: SpeechLlmConfig) -> Phi4:
    """With the LoRA of the configuration, ready to train. Raises ModelError where it is not what it should be."""
    from peft import LoraConfig, PeftModel, get_peft_model

    model = phi4.model
    # Not peft's prepare_model_for_kbit_training: it makes all that is not in 4 bits 32-bit, which here (embeddings of
    # 200,000 tokens, the audio and vision encoders) takes as much as 4 bits save, though none of it is trained.
    if config.checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model.config.use_cache = False
    if config.adapter == "pretrained":
        source: dict[str, Any] = {} if Path(config.model).is_dir() else {"revision": config.revision or None}
        try:
            model = PeftModel.from_pretrained(
                model, config.model, subfolder=SPEECH_ADAPTER, is_trainable=True, **source
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"{config.model} has no adapter in {SPEECH_ADAPTER}/ that can be loaded: {_first_line(error)} Take "
                "adapter fresh, or a checkpoint that has it."
            ) from error
    else:
        lora = LoraConfig(
            r=config.r, lora_alpha=config.alpha, lora_dropout=config.dropout, target_modules=LORA_TARGETS,
            task_type="CAUSAL_LM", bias="none",
            # Through peft, so that the trained audio part is saved and loaded with the adapter.
            modules_to_save=["audio_embed"] if config.adapter == "unfreeze" else None,
        )  # fmt: skip
        model = get_peft_model(model, lora)
    for parameter in model.parameters():
        if parameter.requires_grad:  # steps of 2e-5 vanish in bfloat16
            parameter.data = parameter.data.float()
    attached = Phi4(model, phi4.tokenizer, phi4.front_end)
    check_adapter(attached.model, config)
    return attached


def check_adapter(model: Any, config: SpeechLlmConfig) -> None:
    """Raises ModelError unless exactly what should be trained is: a LoRA on every layer of the language model (and the
    audio encoder where it is unfrozen), and weights that are not zero where an adapter was loaded."""
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    lora = [name for name in trained if "lora_" in name]
    audio = [name for name in trained if AUDIO_PART in name]
    strange = [name for name in trained if name not in {*lora, *audio}]
    layers = int(model.config.num_hidden_layers)
    wrong: list[str] = []
    if len(lora) != 8 * layers:  # A and B on four projections
        wrong.append(f"{len(lora)} LoRA weights are trained, expected {8 * layers}")
    if strange:
        wrong.append(f"{len(strange)} other weights are trained, for instance {strange[0]}")
    if bool(audio) != (config.adapter == "unfreeze"):
        wrong.append(f"{len(audio)} audio weights are trained with adapter {config.adapter}")
    if config.adapter == "pretrained" and not adapter_size(model):
        wrong.append("the loaded adapter is all zeros, as after a faulty conversion")
    if wrong:
        raise ModelError(f"The adapter is not attached as it should be: {'; '.join(wrong)}.")


def adapter_size(model: nn.Module) -> float:
    """The sum of |B| over all LoRA weights: 0 for one that changes nothing."""
    return float(sum(p.detach().abs().sum().item() for name, p in model.named_parameters() if "lora_B" in name))


def trainable(parameters: Iterable[nn.Parameter]) -> tuple[int, int]:
    """How many numbers are trained, and how many there are; of 4-bit weights every number counts."""
    names = list(parameters)
    sizes = [p.numel() * (2 if p.dtype == torch.uint8 else 1) for p in names]
    return sum(n for n, p in zip(sizes, names, strict=True) if p.requires_grad), sum(sizes)


def attention(device: str) -> str:
    """Flash attention where it is installed and can run, else torch's own."""
    usable = torch.device(device).type == "cuda" and importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if usable else "sdpa"


def quantisation(config: SpeechLlmConfig) -> Any:
    """NF4 with double quantisation (Dettmers et al. 2023); None for 16 bits."""
    if config.bits != 4:
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16, llm_int8_skip_modules=NOT_IN_4_BIT,
    )  # fmt: skip


def _check_checkpoint(model: str, source: dict[str, Any], where: str) -> None:
    from transformers import AutoConfig

    if model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
        raise ModelError(f"There is no folder {model}. Give a folder with the checkpoint, or a hub name.")
    try:
        config = AutoConfig.from_pretrained(model, **source)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"The model {where} is neither a local folder nor can it be fetched: {_first_line(error)} Without a "
            "network, give --model the folder of a downloaded checkpoint."
        ) from error
    if config.model_type != MODEL_TYPE:
        raise ModelError(
            f"{where} is of type {config.model_type!r}, not {MODEL_TYPE!r}: the revision is meant for code of its own. "
            "Take one with native weights (--revision refs/pr/70 of the published model)."
        )


def _check_tokenizer(tokenizer: Any, config: Any, where: str) -> None:
    """The audio token must be the one the model replaces by audio, and the turns' tokens whole ones."""
    wrong = [
        token for token in (USER, END, ASSISTANT, AUDIO) if len(tokenizer.encode(token, add_special_tokens=False)) != 1
    ]
    if not wrong and tokenizer.convert_tokens_to_ids(AUDIO) != config.audio_config.audio_token_id:
        wrong = [AUDIO]
    if wrong:
        raise ModelError(
            f"The tokenizer of {where} does not fit the model: {', '.join(wrong)} is not the token it should be. Take "
            "the tokenizer of the same revision."
        )


def _first_line(error: BaseException) -> str:
    text = lines_of(str(error).strip())
    return (text[0] if text else type(error).__name__).rstrip(".") + "."
