"""How a text should sound: a recording that somebody chose, else a set's or the demo's, else the synthesiser's."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.audio.load import load_audio
from pipeline.corpus.references import is_synthetic, references_to
from pipeline.corpus.synthetic_voice import spoken
from pipeline.errors import AudioError
from pipeline.settings import Settings


@dataclass(frozen=True)
class ReferenceVoice:
    """A recording of a text, and whether a synthesiser made it."""

    path: Path
    synthetic: bool


def reference_voice(settings: Settings, text: str, language: str) -> ReferenceVoice | None:
    """The first recording of this installation that can be read, else the synthesiser's where it is installed."""
    for path in references_to(settings, text, language):
        with suppress(AudioError):  # told where references are chosen
            load_audio(path)
            return ReferenceVoice(path, is_synthetic(settings, path))
    made = spoken(settings, text, language)
    return None if made is None else ReferenceVoice(made, True)
