"""The folder of a fine-tuned speech language model: what was trained, and all that is needed to ask it again.

speechllm.json               the base, the prompts, what it was trained on, the memory that scoring takes
adapter_model.safetensors    the LoRA, as PEFT writes it, with its adapter_config.json
model.safetensors            in place of it the whole model, with its tokenizer, where everything was trained
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.presets import known_values, misfits
from pipeline.speechllm.adapter_files import CONFIG_FILE as ADAPTER_FILE
from pipeline.speechllm.adapter_files import SPEECH_ADAPTER
from pipeline.speechllm.config import BUILT_IN, SpeechLlmConfig
from pipeline.speechllm.prompts import Prompts, load_prompts

INFO_FILE = "speechllm.json"
CHECKPOINT_FILE = "config.json"
ASKED = ("model", "revision", "merge_speech", "bits", "attention", "max_length")  # settings that scoring needs as well


@dataclass(frozen=True)
class SpeechLlmInfo:
    """`model`, `revision`, `merge_speech`, `bits`, `attention` and `max_length` are the run's settings; an empty
    `model` means that the folder holds the whole one. `prompts` are as `Prompts` has them, `speakers` the voices that
    were trained on or chose the epoch, each as `<corpus>/<speaker>`; `memory_gb` is what scoring one recording takes;
    `test` are the figures of the epoch that is kept. A `stand_in` comes from a model that is built here, not from
    Phi-4's weights: its figures reproduce nothing."""

    model_id: str
    model: str = ""
    revision: str = ""
    adapter: str = "none"
    merge_speech: bool = False
    bits: int = 16
    attention: str = "auto"
    max_length: int = 2048
    prompts: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en"
    trained_on: str = ""
    part: str = ""
    n_recordings: int = 0
    n_speakers: int = 0
    speakers: tuple[str, ...] = ()
    seed: int = 0
    created_at: str = ""
    git_commit: str | None = None
    memory_gb: float = 0.0
    stand_in: bool = False
    test: Mapping[str, Any] = field(default_factory=dict)

    def has_heard(self, corpus: str, speaker: str) -> bool:
        return f"{corpus}/{speaker}" in self.speakers

    def config(self, folder: Path) -> SpeechLlmConfig:
        """The settings to load the base with; nothing is trained."""
        values = {name: getattr(self, name) for name in ASKED} | {"model": self.model or str(folder)}
        return SpeechLlmConfig(set=self.trained_on or "any", adapter="none", epochs=0, checkpointing=False, **values)

    def asked(self) -> Prompts:
        """Raises ModelError for prompts that are incomplete."""
        try:
            return Prompts.of(self.prompts) if self.prompts else load_prompts()
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                N_("{info} of {model} has incomplete prompts: {reason}."),
                info=INFO_FILE,
                model=self.model_id,
                reason=said_by(error),
            ) from error


def is_speechllm_folder(folder: Path) -> bool:
    """Whether it holds a fine-tuned model of a run here. Reads the file's name alone: pages ask."""
    return (folder / INFO_FILE).is_file()


def is_stand_in(base: str) -> bool:
    """Whether a run's `model` setting names a model that is built here, or the folder that one was saved in."""
    if base in BUILT_IN:
        return True
    try:
        return is_speechllm_folder(Path(base)) and load_info(Path(base)).stand_in
    except ModelError:
        return False


def save_info(folder: Path, info: SpeechLlmInfo) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(folder / INFO_FILE, info)


def load_info(folder: Path) -> SpeechLlmInfo:
    """Of a run's model; of a LoRA that was trained elsewhere; or of any checkpoint with native weights, whose own
    speech adapter is merged where it has one. Raises ModelError for a folder with none of them."""
    if (folder / INFO_FILE).is_file():
        return _read(folder / INFO_FILE)
    if (folder / ADAPTER_FILE).is_file():
        base = _json(folder / ADAPTER_FILE).get("base_model_name_or_path") or SpeechLlmConfig.model
        revision = "" if Path(str(base)).is_dir() else SpeechLlmConfig.revision
        return SpeechLlmInfo(folder.name, str(base), revision, "fresh")
    if (folder / CHECKPOINT_FILE).is_file():
        return SpeechLlmInfo(folder.name, merge_speech=(folder / SPEECH_ADAPTER / ADAPTER_FILE).is_file())
    raise ModelError(
        N_("{folder} holds no speech language model: expected {info}, {adapter} or a checkpoint's {checkpoint}."),
        folder=str(folder),
        info=INFO_FILE,
        adapter=ADAPTER_FILE,
        checkpoint=CHECKPOINT_FILE,
    )


def _read(file: Path) -> SpeechLlmInfo:
    raw = _json(file)
    values = known_values(SpeechLlmInfo, raw)
    wrong = misfits(SpeechLlmInfo, values)
    if wrong or "model_id" not in values:
        raise ModelError(
            N_("{file} cannot be used: {reasons}."),
            file=str(file),
            reasons=joined(wrong[:3]) if wrong else Message(N_("{key} is missing"), key="model_id"),
        )
    return SpeechLlmInfo(**values)


def _json(file: Path) -> dict[str, Any]:
    try:
        content = artifacts.read_json(file)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(N_("{path} cannot be read: {reason}."), path=str(file), reason=said_by(error)) from error
    if not isinstance(content, dict):
        raise ModelError(N_("{file} is damaged: expected an object."), file=str(file))
    return content
