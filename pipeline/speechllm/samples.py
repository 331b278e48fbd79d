"""Recordings with what the experts said of them, kept on disk so that a second start takes seconds.

The cache holds decoded audio and references, memory-mapped (`datasets`), and is found by the corpus's content; a
damaged one is made anew. Prompts and targets are not cached: they are cheap, and the rubric may change.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audio.load import load_audio
from pipeline.corpus.readers.items import CorpusItem
from pipeline.corpus.sets import in_part
from pipeline.corpus.splits import speaker_holdout
from pipeline.corpus.transcriptions import has_hearings, word_hearings
from pipeline.errors import AudioError, CorpusError, TrainingError
from pipeline.i18n import N_, Message
from pipeline.labels.corpus_source import CorpusSource, chosen_evaluation_part, chosen_part, open_source
from pipeline.parallel import Progress
from pipeline.people.names import name_key
from pipeline.settings import Settings
from pipeline.speechllm.config import SpeechLlmConfig
from pipeline.speechllm.prompts import ASPECTS, Task, apa_answer, mdd_answer
from pipeline.text.words import words_of

log = logging.getLogger(__name__)

FORMAT = 2  # of the cache
HELD_OUT_SHARE = 0.125
MAX_SHARE_UNREADABLE = 0.05
N_FOR_LENGTHS = 64
SAMPLE = np.dtype("<i2")
Row = dict[str, Any]


@dataclass(frozen=True)
class Corpus:
    """`rows` is a memory-mapped table with `id`, `speaker`, `text`, `samples` (bytes of int16, 16 kHz) and `n_samples`,
    `scores` (aspect to 0-10), `canonical` and `heard` (phones; None without transcriptions). `unreadable` recordings
    were left out."""

    rows: Any
    unreadable: tuple[str, ...]

    def of_rows(self, chosen: "np.ndarray[Any, np.dtype[np.bool_]]") -> "Corpus":
        return replace(self, rows=self.rows.select(np.flatnonzero(chosen)))


@dataclass(frozen=True)
class Sample:
    """One task on one recording: `row` is its number in the table."""

    row: int
    task: Task
    answer: str


def load_corpus(
    settings: Settings, source: CorpusSource, part: str, progress: Progress | None = None, *, limit: int = 0
) -> Corpus:
    """From the cache, or decoded now; the first `limit` recordings alone, where that is not 0.

    Raises CorpusError for a part that is not there, and TrainingError where nothing of `part` has scores, or more than
    one recording in twenty cannot be read.
    """
    from datasets import load_from_disk

    items = [item for item in source.of_part(part) if _scores(item) is not None]
    if not items:
        raise TrainingError(
            N_(
                "{title} has no utterance{in_part} with the scores {aspects} (as 'released' or 'median'): nothing can "
                "be learnt from it."
            ),
            title=source.title,
            in_part=in_part(part),
            aspects=", ".join(ASPECTS),
        )
    items = items[:limit] if limit else items
    folder = settings.features_root / "speechllm" / source.digest(part, limit, FORMAT)
    if folder.is_dir():
        try:
            return _opened(load_from_disk(str(folder)), items)
        except (OSError, ValueError, KeyError, FileNotFoundError) as error:
            log.warning("The cache %s is damaged (%s) and is made anew.", folder, error)
            shutil.rmtree(folder)
    _decode(items, source.root, folder, progress)
    return _opened(load_from_disk(str(folder)), items)


def on_parts(settings: Settings, config: SpeechLlmConfig) -> tuple[CorpusSource, SpeechLlmConfig]:
    """The corpus that a run is told of, and its settings with the parts that were found in it. Raises CorpusError."""
    source = open_source(settings, set=config.set, manifest=config.manifest)
    part = chosen_part(source, config.part)
    held = chosen_evaluation_part(source, config.evaluation_part, part)
    return source, replace(config, part=part, evaluation_part=held)


def parts_in_words(config: SpeechLlmConfig) -> str:
    """Which parts a run trains and measures on."""
    trained = f"part {config.part!r}" if config.part else "all recordings"
    measured = f"part {config.evaluation_part!r}" if config.evaluation_part else "an eighth of them, by other speakers"
    return f"Trains on {trained}, measures on {measured}."


def hold_out(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """Without the speakers of an eighth of the recordings, and those alone. Raises CorpusError for one speaker."""
    held = speaker_holdout(corpus.rows["speaker"], HELD_OUT_SHARE, seed=0)
    return corpus.of_rows(~held), replace(corpus.of_rows(held), unreadable=())


def leave_out(corpus: Corpus, config: SpeechLlmConfig) -> tuple[Corpus, Corpus | None]:
    """Without the speakers of the validation share, and those alone. Raises TrainingError for one speaker."""
    if not config.validation_share:
        return corpus, None
    if len(set(map(name_key, corpus.rows["speaker"]))) < 2:
        raise TrainingError(
            N_(
                "Validation leaves speakers out, and there is one to train on alone. Leave out none: "
                "--validation-share 0 --last-epoch."
            )
        )
    left = speaker_holdout(corpus.rows["speaker"], config.validation_share, seed=config.seed)
    return corpus.of_rows(~left), replace(corpus.of_rows(left), unreadable=())


def samples_of(corpus: Corpus, limit: int = 0) -> list[Sample]:
    """Both tasks of every recording (of the first `limit`), as far as it has what they need."""
    samples: list[Sample] = []
    for number, row in enumerate(corpus.rows.remove_columns("samples")):
        if limit and number >= limit:
            break
        samples.append(Sample(number, "apa", apa_answer(row["scores"])))
        if row["heard"] is not None:
            samples.append(Sample(number, "mdd", mdd_answer(words_of(row["text"], "en"), row["heard"])))
    return samples


def for_lengths(corpus: Corpus, samples: Sequence[Sample]) -> list[Sample]:
    """Some samples that stand for all, the longest recording's among them."""
    lengths = corpus.rows["n_samples"]
    some = list(samples[:: max(1, len(samples) // N_FOR_LENGTHS)])
    return [*some, max(samples, key=lambda sample: lengths[sample.row])]


def audio_of(row: Row) -> np.ndarray:
    """float32 [n] at 16 kHz."""
    return np.frombuffer(row["samples"], dtype=SAMPLE).astype(np.float32) / 32768.0


def _opened(rows: Any, items: list[CorpusItem]) -> Corpus:
    missing = {"id", "speaker", "text", "samples", "n_samples", "scores", "canonical", "heard"} - set(rows.column_names)
    if missing:
        raise ValueError(Message(N_("{key} is missing"), key=", ".join(sorted(missing))))
    there = set(rows["id"])
    unreadable = tuple(item.key for item in items if item.key not in there)
    if len(unreadable) > MAX_SHARE_UNREADABLE * len(items):
        raise TrainingError(
            N_("{n} of {total} recordings cannot be read, first {first}. Check their files."),
            n=len(unreadable),
            total=len(items),
            first=unreadable[0],
        )
    return Corpus(rows, unreadable)


def _decode(items: list[CorpusItem], root: Path, folder: Path, progress: Progress | None) -> None:
    from datasets import Dataset, Features, List, Value, disable_progress_bars

    disable_progress_bars()  # ours says what is being done
    texts = List(Value("string"))
    columns = Features({
        "id": Value("string"), "speaker": Value("string"), "text": Value("string"),
        # Not a list of numbers: `datasets` makes a Python object of each, a second of audio half a megabyte.
        "samples": Value("binary"),
        "n_samples": Value("int64"),
        "scores": {aspect: Value("float32") for aspect in ASPECTS}, "canonical": texts, "heard": texts,
    })  # fmt: skip

    def rows() -> Iterator[Row]:
        for number, item in enumerate(items, start=1):
            try:
                samples = load_audio(root / item.audio).samples
            except AudioError as error:
                log.warning("%s is left out: %s", item.key, error)
                continue
            finally:
                if progress is not None:
                    progress(number, len(items), "")
            canonical, heard = _phones(item)
            yield {
                "id": item.key, "speaker": item.speaker, "text": item.text,
                "samples": np.clip(np.round(samples * 32768.0), -32768, 32767).astype(SAMPLE).tobytes(),
                "n_samples": len(samples), "scores": _scores(item), "canonical": canonical, "heard": heard,
            }  # fmt: skip

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder.parent) as temporary:
        # Without a name of its own, `datasets` makes one of all that `rows` refers to, which cannot always be pickled.
        table = Dataset.from_generator(rows, features=columns, cache_dir=temporary, fingerprint=folder.name)
        table.save_to_disk(f"{temporary}/table")
        Path(temporary, "table").replace(folder)


def _scores(item: CorpusItem) -> dict[str, float] | None:
    """The released scores, else the experts' median; None unless all aspects are there."""
    for chosen in (item.released, item.median):
        if all(aspect in chosen for aspect in ASPECTS):
            return {aspect: float(chosen[aspect]) for aspect in ASPECTS}
    return None


def _phones(item: CorpusItem) -> tuple[list[str] | None, list[str] | None]:
    """The canonical phones, and the experts' verdict on what was said; None without them."""
    words = item.extra.get("words") or []
    if not words or not all(map(has_hearings, words)):
        return None, None
    try:
        hearings = [word_hearings(word) for word in words]
    except (CorpusError, ValueError, KeyError):
        return None, None
    return [p for canonical, _, _ in hearings for p in canonical], [
        p for _, _, verdict in hearings for p in verdict.sequence()
    ]
