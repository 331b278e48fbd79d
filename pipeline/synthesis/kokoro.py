"""Kokoro's voices (StyleTTS 2 on onnxruntime, Apache-2.0): natural, and any two of them mixed are another one.

A folder holds the model (`kokoro*.onnx`, with inputs `tokens` or `input_ids`, `style` and `speed`) and its voices:
`voices*.bin`, one archive of arrays as the ONNX release has it, or `voices/NAME.bin`, as the npm package has them. A
voice is float32 [lengths, 256]: a style for each number of sounds, whose first half is the timbre, the second the
manner of speaking. Its name begins with the letter of its language. eSpeak NG says which sounds a text has.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio, from_samples
from pipeline.i18n import N_, Message
from pipeline.synthesis import espeak
from pipeline.synthesis.manner import AS_IT_IS, Manner

SYNTHESISER = "kokoro"
RATE_HZ = 24_000
STYLE, TIMBRE = 256, 128
LONGEST = 500  # sounds at once
SLOWEST, FASTEST = 0.5, 2.0  # times its usual rate, that it was made for
LETTERS = {"a": "en", "b": "en", "e": "es", "f": "fr", "h": "hi", "i": "it", "j": "ja", "p": "pt", "z": "zh"}
ACCENTS = {"a": "en-us", "b": "en-gb-x-rp", "e": "es", "f": "fr-fr", "i": "it", "p": "pt-br"}  # of eSpeak NG
# Sounds as the model was trained on them, by what eSpeak NG calls them; longer ones come first.
COMMON = {
    "aɪ": "I", "aʊ": "W", "dʒ": "ʤ", "eɪ": "A", "tʃ": "ʧ", "ɔɪ": "Y", "ɚ": "əɹ", "r": "ɹ", "ɐ": "ə", "ʔ": "t",
}  # fmt: skip
SPELLED = {
    "a": {"oʊ": "O", "ɜː": "ɜɹ", "ɪə": "iə", "ː": "", **COMMON},
    "b": {"əʊ": "Q", "oʊ": "Q", "eə": "ɛː", "iə": "ɪə", **COMMON},
}
TOKENS = {
    ";": 1, ":": 2, ",": 3, ".": 4, "!": 5, "?": 6, " ": 16, "ʦ": 20, "ʨ": 21, "A": 24, "I": 25, "O": 31, "Q": 33,
    "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42, "a": 43, "b": 44, "c": 45, "d": 46, "e": 47, "f": 48, "h": 50,
    "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "q": 59, "r": 60, "s": 61, "t": 62,
    "u": 63, "v": 64, "w": 65, "x": 66, "y": 67, "z": 68, "ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "β": 75, "ɔ": 76,
    "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83, "ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92, "ɥ": 99,
    "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111, "ŋ": 112, "ɳ": 113, "ɲ": 114, "ø": 116, "ɸ": 118, "θ": 119,
    "œ": 120, "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʁ": 128, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136,
    "ʌ": 138, "ɣ": 139, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158, "ʲ": 164, "ᵻ": 177,
}  # fmt: skip
Styles = NDArray[np.float32]


@dataclass(frozen=True)
class KokoroVoice:
    """A voice of `folder`, or two halfway between their timbres with the first one's manner of speaking."""

    folder: Path
    speaker: str
    mixed_with: str = ""

    @property
    def name(self) -> str:
        return "-".join(filter(None, ("kokoro", self.speaker, self.mixed_with)))

    @property
    def synthesiser(self) -> str:
        return SYNTHESISER

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        """16 kHz mono. Raises ValueError where nothing comes of it, and what onnxruntime raises for a broken file."""
        loaded = _loaded(self.folder)
        tokens = tokens_of(text, self.speaker)
        style = _style(loaded.styles(self.speaker), tokens)
        if self.mixed_with:
            style[:, :TIMBRE] = (style[:, :TIMBRE] + _style(loaded.styles(self.mixed_with), tokens)[:, :TIMBRE]) / 2
        # Spoken slower and played faster: pitch and formants rise together, as those of a smaller person.
        faster = 2.0 ** (manner.pitch / 12.0)
        speed = min(FASTEST, max(SLOWEST, manner.rate / faster))
        return from_samples(loaded.spoken(tokens, style, speed), round(RATE_HZ * faster))


def voices(language: str, folders: Iterable[Path]) -> list[KokoroVoice]:
    """Of that language in the folders and their folders: each alone, then mixed with every other one there; none where
    eSpeak NG does not tell its sounds."""
    found: list[KokoroVoice] = []
    everywhere = [place for folder in folders if folder.is_dir() for place in (folder, *sorted(folder.iterdir()))]
    for folder in everywhere if espeak.is_installed() else ():
        if _model_in(folder) is None:
            continue
        names = sorted(_voices_in(folder))
        own = [name for name in names if LETTERS.get(name[:1]) == language and name[0] in ACCENTS]
        found += [KokoroVoice(folder, name) for name in own]
        found += [KokoroVoice(folder, name, other) for name, other in product(own, names) if name != other]
    return found


def tokens_of(text: str, speaker: str) -> list[int]:
    """The model's numbers of the sounds of a text, as the speaker's accent has them. Raises ValueError for none."""
    letter = speaker[0]
    said = espeak.ipa(text, ACCENTS[letter])
    spelled = SPELLED.get(letter, {})
    longest_first = sorted(spelled, key=len, reverse=True)
    if longest_first:
        said = re.sub("|".join(map(re.escape, longest_first)), lambda match: spelled[match[0]], said)
    tokens = [TOKENS[sign] for sign in said if sign in TOKENS][: LONGEST - 1]
    if not tokens:
        raise ValueError(Message(N_("{text!r} has no sounds"), text=text))
    return [*tokens, TOKENS["."]]


def _model_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob("kokoro*.onnx"))), None) if folder.is_dir() else None


def _voices_in(folder: Path) -> Iterator[str]:
    """Names of the voices; of the archives, without reading them."""
    for archive in sorted(folder.glob("voices*.bin")):
        with np.load(archive) as styles:
            yield from styles.files
    yield from (file.stem for file in (folder / "voices").glob("*.bin"))


class _Kokoro:
    def __init__(self, folder: Path) -> None:
        from pipeline.onnx_graphs import open_graph

        model = _model_in(folder)
        if model is None:
            raise ValueError(Message(N_("{folder} holds no {file}"), folder=str(folder), file="kokoro*.onnx"))
        self._folder = folder
        self._graph = open_graph(model)
        self._tokens = next(given.name for given in self._graph.get_inputs() if given.name in ("tokens", "input_ids"))

    def styles(self, name: str) -> Styles:
        """[lengths, 256]."""
        file = self._folder / "voices" / f"{name}.bin"
        if file.is_file():
            return np.asarray(np.fromfile(file, dtype=np.float32).reshape(-1, STYLE))
        for archive in self._folder.glob("voices*.bin"):
            with np.load(archive) as styles:
                if name in styles.files:
                    return np.asarray(styles[name], dtype=np.float32).reshape(-1, STYLE)
        raise ValueError(Message(N_("{folder} has no voice {name!r}"), folder=str(self._folder), name=name))

    def spoken(self, tokens: list[int], style: Styles, speed: float) -> NDArray[np.float32]:
        inputs: dict[str, Any] = {
            self._tokens: np.array([[0, *tokens, 0]], dtype=np.int64), "style": style,
            "speed": np.array([speed], dtype=np.float32),
        }  # fmt: skip
        return np.asarray(self._graph.run(None, inputs)[0], dtype=np.float32).ravel()


@lru_cache(maxsize=1)
def _loaded(folder: Path) -> _Kokoro:
    return _Kokoro(folder)


def _style(styles: Styles, tokens: list[int]) -> Styles:
    """[1, 256] for so many sounds."""
    return np.array(styles[min(len(tokens), len(styles) - 1)][None])
