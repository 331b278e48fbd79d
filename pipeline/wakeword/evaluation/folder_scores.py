"""A detector on every clip of a folder: the highest score of each, and whether it goes off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.i18n import N_, Message
from pipeline.metrics.detection import share_interval
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.evaluation.evaluate import files_of, one_thread
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.runtime.clip_votes import highest_vote
from pipeline.wakeword.runtime.detector import Classifier

COLUMNS = ("clip", "duration_s", "score", "detected")


@dataclass(frozen=True)
class ClipScore:
    """`score` is the highest voted logit; `clip` the path within the folder."""

    clip: str
    duration_s: Seconds
    score: float
    detected: bool


@dataclass(frozen=True)
class FolderScores:
    """`detected` of `n` clips, `share` with its exact 95 % interval, at `threshold` (in logits)."""

    folder: str
    threshold: float
    n: int
    detected: int
    share: float
    interval: tuple[float, float]
    clips: tuple[ClipScore, ...]


def score_folder(
    folder: Path,
    classifier: Classifier,
    features: FeatureConfig,
    detector: DetectorConfig,
    threshold: float,
    progress: Progress | None = None,
) -> FolderScores:
    """Raises CorpusError for a folder without audio, AudioError for a clip that cannot be read."""
    files = files_of((folder,))
    clips = []
    with one_thread():
        for number, path in enumerate(files, start=1):
            sound = load_clip(path)
            score = highest_vote(sound, classifier, features, detector)
            name = path.relative_to(folder).as_posix() if path != folder else path.name
            clips.append(ClipScore(name, len(sound) / RATE_HZ, score, score >= threshold))
            if progress is not None:
                progress(number, len(files), Message(N_("listening")))
    detected = sum(clip.detected for clip in clips)
    return FolderScores(
        str(folder), threshold, len(clips), detected, detected / len(clips), share_interval(detected, len(clips)),
        tuple(clips),
    )  # fmt: skip


def as_rows(clips: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The rows of a table, from the clips as they are kept in a report."""
    return [[clip[name] for name in COLUMNS] for clip in clips]
