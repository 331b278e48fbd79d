"""What a training run learns from: features and scores of labelled recordings, from a set or from a CSV file."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts, cells, csvfile
from pipeline.errors import TableError, TrainingError, said_by
from pipeline.i18n import N_, NN_, Message, ended
from pipeline.jobs.shards import Shards
from pipeline.labels.scale import question
from pipeline.parallel import Progress
from pipeline.people.names import spaced
from pipeline.records import RatingSource, Recording, RubricName
from pipeline.rubrics import RUBRICS
from pipeline.scoring.feature_based.config import TrainConfig
from pipeline.settings import Settings
from pipeline.tablefile import TableRow, read_table

MIN_RECORDINGS = 20
MIN_GROUPS = 3  # speakers, words or recordings that folds keep together: to train on, to choose the epoch, to test on
RECOMMENDED_RECORDINGS = 300
# What stands after the features in training_data.csv.
META_COLUMNS = (
    "score",
    "speaker",
    "word",
    "recording_id",
    "audio_sha256",
    "label_source",
    "language",
    "rubric",
    "extractor",
)


@dataclass(frozen=True)
class TrainingData:
    """`values` is float32 [n, d], `scores` float64 [n] (0-100); the tuples have n entries, `names` d."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    scores: NDArray[np.float64]
    speakers: tuple[str, ...]
    texts: tuple[str, ...]
    recording_ids: tuple[str, ...]
    audio_sha256: tuple[str, ...]
    label_sources: tuple[str, ...]
    extractor: str
    extractor_version: str
    rubric: str
    language: str
    warnings: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Of features and scores: equal hashes mean that two runs saw the same numbers."""
        digest = hashlib.sha256(np.ascontiguousarray(self.values).tobytes())
        digest.update(np.ascontiguousarray(self.scores).tobytes())
        return digest.hexdigest()[:16]


def load_training_data(
    settings: Settings,
    config: TrainConfig,
    *,
    progress: Progress | None = None,
    check_stop: Callable[[], None] | None = None,
    shards: Shards | None = None,
) -> TrainingData:
    """`shards` extract the features where they are given. Raises TrainingError where nothing is labelled, or there is
    too little or too uniform data to learn from."""
    data = _from_csv(Path(config.csv)) if config.csv else _from_set(settings, config, progress, check_stop, shards)
    if len(data.scores) < MIN_RECORDINGS:
        raise TrainingError(
            NN_(
                "{n} rated recording is too few to train on: at least {min_recordings} are needed, "
                "{recommended_recordings} are recommended. Rate more recordings first.",
                "{n} rated recordings are too few to train on: at least {min_recordings} are needed, "
                "{recommended_recordings} are recommended. Rate more recordings first.",
            ),
            n=len(data.scores),
            min_recordings=MIN_RECORDINGS,
            recommended_recordings=RECOMMENDED_RECORDINGS,
        )
    if np.ptp(data.scores) < 1e-9:
        raise TrainingError(
            N_("All {n} scores are {score:g}, so there is nothing to learn from."),
            n=len(data.scores),
            score=data.scores[0],
        )
    return data


def _from_set(
    settings: Settings,
    config: TrainConfig,
    progress: Progress | None,
    check_stop: Callable[[], None] | None,
    shards: Shards | None,
) -> TrainingData:
    from pipeline.corpus.sets import audio_path, get_set
    from pipeline.features.catalogue import load_extractor
    from pipeline.features.table import build_table

    set_ = get_set(settings, config.set)
    chosen, scores, sources = labelled_recordings(settings, config)
    extractor = load_extractor(settings, config.extractor)
    table = build_table(
        settings, list(chosen.values()), config.extractor, progress=progress, check_stop=check_stop, shards=shards
    )
    ids = table.recording_ids
    paths = [audio_path(set_, chosen[i]) for i in ids]
    return TrainingData(
        names=tuple(table.names),
        values=table.values,
        scores=np.array([scores[i] for i in ids], dtype=np.float64),
        speakers=tuple(chosen[i].speaker for i in ids),
        texts=tuple(chosen[i].text for i in ids),
        recording_ids=tuple(ids),
        audio_sha256=tuple(artifacts.sha256_of(path) for path in paths),
        label_sources=tuple(sources[i] for i in ids),
        extractor=config.extractor,
        extractor_version=extractor.version,
        rubric=str(set_.rubric),
        language=set_.language,
        warnings=tuple(Message(N_("Left out: {problem}"), problem=problem.message) for problem in table.problems),
    )


def labelled_recordings(
    settings: Settings, config: TrainConfig
) -> tuple[dict[str, Recording], dict[str, float], dict[str, str]]:
    """Recordings to train on by id, with the score (0-100) and the source of the label of each.

    Raises TrainingError where no recording is labelled.
    """
    from pipeline.labels.index import Index
    from pipeline.labels.mock import mock_scores

    index = Index(settings)
    index.refresh_set(config.set)  # label files may have been edited by hand
    recordings = {r.id: r for r in index.recordings(config.set) if config.part in ("", r.part)}
    if config.part and not recordings:
        raise TrainingError(N_("The set {set!r} has no recordings in part {part!r}."), set=config.set, part=config.part)
    if config.labels == "mock":
        made_up = mock_scores(list(recordings.values()), config.seed)
        scores = dict(zip(recordings, made_up.tolist(), strict=True))
        return recordings, scores, dict.fromkeys(recordings, str(RatingSource.MOCK))
    frame = index.consensus_scores(config.set)
    frame = frame[frame["recording_id"].isin(list(recordings))]
    if frame.empty:
        raise TrainingError(
            N_(
                "There are no ratings in {set!r}. Rate recordings on the Label page first, or "
                "make a trial run with made-up scores (--labels mock)."
            ),
            set=config.set,
        )
    scores = dict(zip(frame["recording_id"], frame["score"].astype(float), strict=True))
    sources = dict(zip(frame["recording_id"], frame["source"].astype(str), strict=True))
    return {i: recordings[i] for i in scores}, scores, sources


def write_csv(path: Path, data: TrainingData) -> None:
    """`training_data.csv`: the features in their order, then META_COLUMNS."""
    columns = (data.speakers, data.texts, data.recording_ids, data.audio_sha256, data.label_sources)
    rows = zip(data.values, data.scores, zip(*columns, strict=True), strict=True)
    common = (data.language, data.rubric, data.extractor)
    csvfile.write(
        path,
        (*data.names, *META_COLUMNS),
        ((*(float(f"{v:.7g}") for v in values), float(f"{score:g}"), *meta, *common) for values, score, meta in rows),
    )


def _from_csv(path: Path) -> TrainingData:
    """A file that `pronlab features` wrote, or any table with the same columns. Raises TrainingError naming what is
    off."""
    try:
        table = read_table(path.read_bytes(), dict.fromkeys(META_COLUMNS, ()), ("score", "speaker"))
    except (OSError, TableError) as error:
        raise TrainingError(
            N_("{path} cannot be read: {reason} `pronlab features` writes a complete file."),
            path=str(path),
            reason=ended(said_by(error)),
        ) from error
    names = tuple(column for column in table.columns if column not in META_COLUMNS)
    if not names or not table.rows:
        raise TrainingError(
            N_("{path} has no features or rows. `pronlab features` writes a complete file."), path=str(path)
        )
    rows = [row.cells for row in table.rows]
    values = np.empty((len(rows), len(names)), dtype=np.float32)
    scores = np.empty(len(rows), dtype=np.float64)
    for n, row in enumerate(table.rows):
        if row.problem is not None:
            raise TrainingError(
                N_("{path}, line {line} {problem}"), path=str(path), line=str(row.line), problem=row.problem
            )
        if not ("score" in row.cells and "speaker" in row.cells):
            raise TrainingError(
                N_("{path}, line {line} is without a speaker or a score. Check that it is complete."),
                path=str(path),
                line=str(row.line),
            )
        scores[n] = _number(path, row, "score")
        values[n] = [_number(path, row, name) for name in names]
        if not 0.0 <= scores[n] <= 100.0:
            raise TrainingError(
                N_("{path}, line {line}: the score {score:g} does not lie between 0 and 100."),
                path=str(path),
                line=str(row.line),
                score=float(scores[n]),
            )
    asked = question({"score": scores.tolist()}, RUBRICS[RubricName.WORD].dimensions)
    first = rows[0]
    return TrainingData(
        names=names,
        values=values,
        scores=scores,
        speakers=tuple(spaced(row["speaker"]) for row in rows),
        texts=tuple(row.get("word") or "" for row in rows),
        recording_ids=tuple(row.get("recording_id") or str(number) for number, row in enumerate(rows)),
        audio_sha256=tuple(row.get("audio_sha256") or "" for row in rows),
        label_sources=tuple(row.get("label_source") or "unknown" for row in rows),
        extractor=first.get("extractor") or _extractor_of(names),
        extractor_version="",
        rubric=first.get("rubric") or "word",
        language=first.get("language") or "und",
        warnings=(*table.assumed, *([asked] if asked else ())),
    )


def _number(path: Path, row: TableRow, name: str) -> float:
    """Raises TrainingError for what is none."""
    try:
        return cells.number(row.cells.get(name, ""))
    except cells.CellError as error:
        raise TrainingError(
            N_("{path}, line {line}, column {name}: {reason}"),
            path=str(path),
            line=str(row.line),
            name=name,
            reason=said_by(error),
        ) from error


def _extractor_of(names: tuple[str, ...]) -> str:
    """The extractor whose features a file holds, or `custom`: a model on unknown features can be judged, not used."""
    from pipeline.features.acoustic57 import FEATURE_NAMES

    return "acoustic57" if names == tuple(FEATURE_NAMES) else "custom"
