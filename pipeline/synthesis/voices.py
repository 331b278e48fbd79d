"""Which synthetic voices there are for a language."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pipeline.audio.load import Audio
from pipeline.errors import CorpusError
from pipeline.i18n import N_
from pipeline.optional import install_command
from pipeline.settings import Settings
from pipeline.synthesis import espeak, kokoro, piper
from pipeline.synthesis.manner import AS_IT_IS, Manner


class Voice(Protocol):
    """`name` is unique among the voices of this machine."""

    @property
    def name(self) -> str: ...

    @property
    def synthesiser(self) -> str: ...

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        """16 kHz mono. `[[...]]` in the text are phonemes of eSpeak NG, which both synthesisers take."""
        ...


def voices_of(settings: Settings, language: str, folders: Sequence[Path] = ()) -> list[Voice]:
    """Natural ones first: Kokoro's and Piper's in `folders`, in `<data root>/voices` and in an installed package, then
    those of eSpeak NG. None where no synthesiser is installed, or none knows the language."""
    everywhere = [*folders, settings.data_root / "voices"]
    return [*kokoro.voices(language, everywhere), *piper.voices(language, everywhere), *espeak.voices(language)]


def voices_for(settings: Settings, language: str, folders: Sequence[Path] = ()) -> list[Voice]:
    """As `voices_of`. Raises CorpusError, with what to install, where there are none."""
    voices = voices_of(settings, language, folders)
    if not voices:
        of_piper = {"command": install_command(["piper"]), "folder": str(settings.data_root / "voices")}
        if espeak.is_installed():
            raise CorpusError(
                N_("No synthesiser here speaks {language!r}: eSpeak NG is asked for {known} alone. Install Piper "
                   "(`{command}`) with a voice of that language in {folder}."),
                language=language, known=", ".join(espeak.ACCENTS), **of_piper,
            )  # fmt: skip
        raise CorpusError(
            N_("No synthesiser here speaks {language!r}. Install eSpeak NG (`apt install espeak-ng`), or Piper "
               "(`{command}`) with a voice of that language in {folder}."),
            language=language, **of_piper,
        )  # fmt: skip
    return voices
