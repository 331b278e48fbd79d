"""Every corpus layout that can be imported, in the order in which a path is tried against them.

A layout is one module with a test (`locate`: the path that is read, None for a path of another layout) and a reader.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.corpus.readers import (
    common_voice,
    folder,
    hub_dataset,
    kaldi,
    l2arctic,
    librispeech,
    ljspeech,
    manifest,
    speechocean762,
    textgrids,
    timit,
    transcripts,
)
from pipeline.corpus.readers.items import CorpusItem, Entry, Reading
from pipeline.corpus.readers.manifest_rows import SUFFIXES
from pipeline.corpus.readers.unknown import explained
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message, about
from pipeline.records import Problem
from pipeline.registry import Registry

Test = Callable[[Path], bool]


def _nowhere(_path: Path) -> Path | None:
    return None


@dataclass(frozen=True)
class Layout:
    """A kind of corpus. `expected` shows people what it looks like; `in_place`: label files lie beside the audio.
    `also` finds what is read as this layout where a person named it."""

    locate: Callable[[Path], Path | None]
    read: Callable[[Path], Reading]
    expected: str
    in_place: bool = False
    title: str = ""
    licence: str = ""
    also: Callable[[Path], Path | None] = _nowhere


MANIFEST = "manifest.jsonl"
LAYOUTS: Registry[Layout] = Registry(N_("corpus layout"))


def recognised(path: Path) -> tuple[str, Path]:
    """The layout of a path and what is to be read. A folder that holds nothing but another one is passed through, as
    archives often unpack. Raises CorpusError, saying what is there, for a path of no known layout."""
    place = path
    while True:
        if (place / MANIFEST).is_file() and not speechocean762.is_published_layout(place):
            return "manifest", place / MANIFEST
        for name in ORDER:
            located = LAYOUTS[name].locate(place)
            if located is not None:
                return name, located
        inner = [entry for entry in place.iterdir() if not entry.name.startswith(".")] if place.is_dir() else []
        if len(inner) != 1 or not inner[0].is_dir() or inner[0].is_symlink():
            raise CorpusError(explained(path))
        place = inner[0]


def located(path: Path, name: str) -> Path:
    """What of a path is read as that layout. Raises UnknownNameError, and CorpusError where it has another one."""
    layout = LAYOUTS[name]
    place = layout.locate(path) or layout.also(path)
    if place is None:
        raise CorpusError(
            N_("{path} has no recordings in the layout {name!r}: {expected}. {found}"),
            path=str(path),
            name=name,
            expected=Message(layout.expected),
            found=explained(path),
        )
    return place


def opened(name: str, path: Path, root: Path | None = None) -> Reading:
    """Begin to read. Praat TextGrids beside the audio become annotations, whatever the layout."""
    is_manifest = path.suffix.lower() in SUFFIXES or name == "manifest"
    if root is not None and not is_manifest:
        raise CorpusError(N_("Only a manifest names audio elsewhere: leave out --audio-root."))
    reading = manifest.open_manifest(path, root) if is_manifest else LAYOUTS[name].read(path)
    return replace(reading, entries=_annotated(reading))


def _annotated(reading: Reading) -> Iterator[Entry]:
    beside = textgrids.TextGridsBeside()
    for entry in reading.entries:
        if not isinstance(entry, CorpusItem) or entry.clip is not None or "annotations" in entry.extra:
            yield entry
            continue
        grid = beside.of(f"{reading.root}/{entry.audio}")
        if grid is None:
            yield entry
            continue
        try:
            yield textgrids.annotated(entry, grid)
        except CorpusError as error:
            yield Problem("bad_annotation", about(entry.audio, error.text), "error", entry.audio)
            yield entry


def _folder_that(test: Test, path: Path) -> Path | None:
    return path if path.is_dir() and test(path) else None


def _manifest(path: Path) -> Path | None:
    if path.is_dir():
        names = manifest.manifests_in(path)
        return path / names[0] if len(names) == 1 and "/" not in names[0] else path if names else None
    return path if path.suffix.lower() in SUFFIXES and path.is_file() else None


def _kaldi(path: Path) -> Path | None:
    if path.name == kaldi.WAVES:
        return path.parent
    return _folder_that(kaldi.is_kaldi, path)


def _hub(path: Path) -> Path | None:
    if path.suffix.lower() == hub_dataset.SUFFIX:
        return path.parent
    return _folder_that(hub_dataset.is_hub_dataset, path)


LAYOUTS.register(speechocean762.NAME)(
    Layout(
        partial(_folder_that, speechocean762.is_published_layout), speechocean762.read_published,
        N_("speechocean762 as published: train/wav.scp, test/wav.scp, resource/scores.json"),
        title=N_("speechocean762: English read by Mandarin speakers"), licence=speechocean762.LICENCE, also=_manifest,
    )
)  # fmt: skip
LAYOUTS.register("hub-dataset")(
    Layout(_hub, hub_dataset.read_hub_dataset, N_("Hugging Face dataset: *.parquet with audio and text"))
)
LAYOUTS.register("folder")(
    Layout(
        lambda path: folder.corpus_of(path) if path.is_dir() else None, folder.read_folder,
        N_("Folders of words: participant_*/kelimeler/01_araba.wav"), in_place=True,
    )
)  # fmt: skip
LAYOUTS.register("l2-arctic")(
    Layout(
        partial(_folder_that, l2arctic.is_l2arctic), l2arctic.read_l2arctic,
        N_("L2-ARCTIC: SPEAKER/wav, transcript, textgrid, annotation"),
        title=N_("L2-ARCTIC: English by speakers of six languages"), licence="CC BY-NC 4.0",
    )
)  # fmt: skip
LAYOUTS.register("common-voice")(
    Layout(
        partial(_folder_that, common_voice.is_common_voice), common_voice.read_common_voice,
        N_("Common Voice: clips/*.mp3, train.tsv, dev.tsv, test.tsv or validated.tsv"), licence="CC0-1.0",
    )
)  # fmt: skip
LAYOUTS.register("timit")(
    Layout(
        partial(_folder_that, timit.is_timit), timit.read_timit,
        N_("TIMIT: TRAIN/DR1/FCJF0/SA1.WAV with .TXT, .WRD, .PHN"),
    )
)  # fmt: skip
LAYOUTS.register("librispeech")(
    Layout(
        partial(_folder_that, librispeech.is_librispeech), librispeech.read_librispeech,
        N_("LibriSpeech: train-clean-100/103/1240/103-1240-0000.flac, 103-1240.trans.txt"), licence="CC BY 4.0",
    )
)  # fmt: skip
LAYOUTS.register("ljspeech")(
    Layout(
        partial(_folder_that, ljspeech.is_ljspeech), ljspeech.read_ljspeech,
        N_("LJSpeech: wavs/*.wav, metadata.csv with id|text|normalised text"),
    )
)  # fmt: skip
LAYOUTS.register("kaldi")(Layout(_kaldi, kaldi.read_kaldi, N_("Kaldi data directory: wav.scp, text, utt2spk")))
LAYOUTS.register("manifest")(
    Layout(
        _manifest, manifest.open_manifest, N_("Manifest (JSON lines, JSON, CSV): audio, text, speaker"),
    )
)  # fmt: skip
LAYOUTS.register("transcripts")(
    Layout(
        partial(_folder_that, transcripts.has_transcripts), transcripts.read_transcripts,
        N_("Recordings with texts: speaker/name.wav with name.txt, name.lab or name.TextGrid"),
    )
)  # fmt: skip
# The more particular before the more general: each of these has tables or texts that a later one could read, too.
ORDER = (
    speechocean762.NAME, "hub-dataset", "folder", "l2-arctic", "common-voice", "timit", "librispeech",
    "ljspeech", "kaldi", "manifest", "transcripts",
)  # fmt: skip
