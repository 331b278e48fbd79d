"""Recordings with a text of the same name: `speaker/name.wav` with `name.txt`, `name.lab` or `name.TextGrid`.

So MFA and Praat have it; VCTK has the texts in `txt/` beside the folder of the audio, VoxForge in `etc/PROMPTS` above
it. The speaker is the folder, passing over folders that are named for what is in them (`wav`, `clips`); of
`name-20070911-a1`, as VoxForge names its folders, the name.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from posixpath import splitext

from pipeline.corpus.readers.items import CorpusItem, Entry, Reading, same_name
from pipeline.corpus.readers.places import AudioPlaces, audio_below
from pipeline.corpus.readers.rows import decoded
from pipeline.corpus.readers.textgrids import PAUSES, WORD_TIERS, read_textgrid, textgrid_of, tier
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, about
from pipeline.records import NO_SPEAKER, Problem, RubricName
from pipeline.text import composed, lines_of

SUFFIXES = (".txt", ".lab", ".TXT", ".LAB")
TEXT_FOLDERS = ("txt", "text", "texts", "transcript", "transcripts", "lab", "labels")
AUDIO_FOLDERS = ("wav", "wavs", "audio", "clips", "flac", "recordings", "wav48", "sound", "sounds")
PROMPTS = ("PROMPTS", "prompts-original", "prompts", "txt.done.data")
PARTS = ("train", "dev", "test", "validation")
FEW = 50
_VOXFORGE = re.compile(r"(?P<name>.+)-\d{8}-\w+")
_FESTIVAL = re.compile(r'\(\s*(?P<name>\S+)\s+"(?P<text>.*)"\s*\)')


def has_transcripts(path: Path) -> bool:
    return any(_has_text(path / name) for name in audio_below(path)[:FEW])


def read_transcripts(path: Path) -> Reading:
    names = audio_below(path)
    return Reading(path, _entries(path, names), len(names))


def _entries(root: Path, names: list[str]) -> Iterator[Entry]:
    places = AudioPlaces(root)
    texts: list[tuple[str, str]] = []
    for name in names:
        try:
            texts.append((places.relative(name), _text(root / name)))
        except (CorpusError, OSError) as error:
            yield Problem("no_text", about(name, said_by(error)), "error", name)
    # Words where all are, else sentences: one long text shows that the corpus is not one of single words.
    is_words = all(len(text.split()) == 1 for _, text in texts)
    keys: set[str] = set()
    for audio, text in texts:
        key = composed(splitext(audio)[0])
        if key in keys:
            yield same_name(audio)
            continue
        keys.add(key)
        folders = audio.split("/")[:-1]
        yield CorpusItem(
            key=key, audio=audio, text=text, speaker=_speaker(folders),
            rubric=RubricName.WORD if is_words else RubricName.SENTENCE,
            part=next((folder.casefold() for folder in folders if folder.casefold() in PARTS), None),
        )  # fmt: skip


def _speaker(folders: list[str]) -> str:
    passed = (*AUDIO_FOLDERS, *PARTS)
    name = next((folder for folder in reversed(folders) if folder.casefold() not in passed), NO_SPEAKER)
    match = _VOXFORGE.fullmatch(name)
    alone = match is None or match["name"].casefold() == "anonymous"  # many people share that name
    return composed(name if alone or match is None else match["name"])


def _has_text(audio: Path) -> bool:
    return _text_file(audio) is not None or textgrid_of(audio) is not None or audio.stem in _prompts_of(audio)


def _text(audio: Path) -> str:
    """Raises CorpusError where there is none."""
    file = _text_file(audio)
    if file is not None:
        text = " ".join(decoded(file).split())
    elif audio.stem in _prompts_of(audio):
        text = _prompts_of(audio)[audio.stem]
    else:
        grid = textgrid_of(audio)
        if grid is None:
            raise CorpusError(N_("there is no text beside it (.txt, .lab or .TextGrid)"))
        words = [label.text for label in tier(read_textgrid(grid), (*WORD_TIERS, "sentence", "text", "utterance"))]
        text = " ".join(word for word in words if word.casefold() not in PAUSES)
        if not text:
            raise CorpusError(N_("{file} has no tier named words"), file=grid.name)
    if not text:
        raise CorpusError(N_("{file} is empty"), file=file.name if file else PROMPTS[0])
    return text


def _text_file(audio: Path) -> Path | None:
    """Beside the audio, in a folder of texts beside its folder, or at the same place in one above it."""
    for suffix in SUFFIXES:
        if (path := audio.with_suffix(suffix)).is_file():
            return path
    for folder in TEXT_FOLDERS:
        for place in (audio.parent.parent / folder, audio.parent.parent.parent / folder / audio.parent.name):
            for suffix in SUFFIXES[:2]:
                if (path := place / f"{audio.stem}{suffix}").is_file():
                    return path
    return None


def _prompts_of(audio: Path) -> dict[str, str]:
    return _prompts(audio.parent.parent / "etc") or _prompts(audio.parent)


@lru_cache(maxsize=64)
def _prompts(folder: Path) -> dict[str, str]:
    """`a0001 TEXT` or `speaker/mfc/a0001 TEXT` a line, or festival's `( a0001 "text" )`."""
    file = next((folder / name for name in PROMPTS if (folder / name).is_file()), None)
    if file is None:
        return {}
    texts = {}
    for line in lines_of(decoded(file)):
        match = _FESTIVAL.fullmatch(line.strip())
        name, _, text = line.strip().partition(" ")
        if match is not None:
            name, text = match["name"], match["text"]
        if text.strip():
            texts[name.rpartition("/")[2]] = text.strip()
    return texts
