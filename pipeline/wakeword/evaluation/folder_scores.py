"""A detector on every clip of a folder: the highest score of each, and whether it goes off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import AudioError, CorpusError
from pipeline.i18n import N_, NN_, Message
from pipeline.metrics.detection import share_interval
from pipeline.parallel import Progress
from pipeline.records import Problem, Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.data.decoded_clips import load_clip
from pipeline.wakeword.evaluation.evaluate import files_of, one_thread
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.runtime.clip_votes import highest_vote
from pipeline.wakeword.runtime.detector import Classifier

COLUMNS = ("clip", "duration_s", "score", "detected")
PROBLEM = "problem"  # the column beside them: why a clip has no score


@dataclass(frozen=True)
class ClipScore:
    """`score` is the highest voted logit; `clip` the path within the folder."""

    clip: str
    duration_s: Seconds
    score: float
    detected: bool


@dataclass(frozen=True)
class FolderScores:
    """`detected` of `n` clips, `share` with its exact 95 % interval, at `threshold` (in logits).
    `left_out` are the clips that cannot be read, which do not count, each with the reason."""

    folder: str
    threshold: float
    n: int
    detected: int
    share: float
    interval: tuple[float, float]
    clips: tuple[ClipScore, ...]
    left_out: tuple[Problem, ...] = ()


def score_folder(
    folder: Path,
    classifier: Classifier,
    features: FeatureConfig,
    detector: DetectorConfig,
    threshold: float,
    progress: Progress | None = None,
) -> FolderScores:
    """Clips that cannot be read are left out and listed. Raises CorpusError for a folder without audio, or with none
    that can be read."""
    files = files_of((folder,))
    clips: list[ClipScore] = []
    left_out: list[Problem] = []
    with one_thread():
        for number, path in enumerate(files, start=1):
            name = path.relative_to(folder).as_posix() if path != folder else path.name
            try:
                sound = load_clip(path)
            except AudioError as error:
                left_out.append(Problem("unreadable", error.text, "error", name))
            else:
                score = highest_vote(sound, classifier, features, detector)
                clips.append(ClipScore(name, len(sound) / RATE_HZ, score, score >= threshold))
            if progress is not None:
                progress(number, len(files), Message(N_("listening")))
    if not clips:
        raise CorpusError(
            NN_("The only audio file in {folder} cannot be read. {problem}",
                "None of the {n} audio files in {folder} can be read. {problem}"),
            n=len(files), folder=str(folder), problem=left_out[0].placed,
        )  # fmt: skip
    detected = sum(clip.detected for clip in clips)
    return FolderScores(
        str(folder), threshold, len(clips), detected, detected / len(clips), share_interval(detected, len(clips)),
        tuple(clips), tuple(left_out),
    )  # fmt: skip


def as_rows(clips: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    """The rows of a table, from the clips as they are kept in a report."""
    return [[clip[name] for name in COLUMNS] for clip in clips]
