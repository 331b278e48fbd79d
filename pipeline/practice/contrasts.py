"""Two sounds that learners confuse, with minimal pairs: words that differ in nothing else (`ship`, `sheep`).

The pairs were chosen from a pronouncing dictionary (English: the CMU dictionary, with its phones; Turkish: letters, one
for each sound) and are in `minimal_pairs/<language>.yaml`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline import artifacts
from pipeline.phones import PHONES

FOLDER = Path(__file__).parent / "minimal_pairs"


@dataclass(frozen=True)
class Contrast:
    """`sounds` are two phones of CMU or two letters; of each of the `pairs` the first word has the first sound."""

    language: str
    sounds: tuple[str, str]
    pairs: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return "-".join((self.language, *self.sounds)).lower()

    @property
    def shown_sounds(self) -> tuple[str, str]:
        """In IPA for English, as letters for others."""
        first, second = (shown_sound(self.language, sound) for sound in self.sounds)
        return first, second


@cache
def contrasts(language: str) -> tuple[Contrast, ...]:
    """In the order of the file; none for other languages."""
    file = FOLDER / f"{language}.yaml"
    if not file.is_file():
        return ()
    entries = artifacts.loads_yaml(file.read_bytes())
    return tuple(
        Contrast(language, tuple(entry["sounds"]), tuple((first, second) for first, second in entry["pairs"]))
        for entry in entries
    )


def contrast_of(key: str) -> Contrast | None:
    """By its id."""
    return next((contrast for contrast in contrasts(key.partition("-")[0]) if contrast.id == key), None)


def contrasts_with(language: str, sound: str) -> list[Contrast]:
    """Those that train a sound."""
    return [contrast for contrast in contrasts(language) if sound in contrast.sounds]


def shown_sound(language: str, sound: str) -> str:
    return PHONES[sound].ipa if language == "en" and sound in PHONES else sound
