"""What the folds of a training keep together, and in words what the figures can and cannot show.

By speaker wherever there are three or more. A teacher may have one or two: then folds are divided by word, or by
recording, and everything that shows the figures says that no new voice was tried.
"""

from dataclasses import dataclass

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.people.names import name_key
from pipeline.scoring.feature_based.config import AUTO, BY_RECORDING, BY_SPEAKER, BY_WORD, TrainConfig
from pipeline.scoring.feature_based.data import MIN_GROUPS, TrainingData
from pipeline.text.words import text_key

GROUP_NAMES = {BY_SPEAKER: N_("speaker"), BY_WORD: N_("word"), BY_RECORDING: N_("recording")}
# What was held out, in words that follow "on" or "for".
HELD_OUT = {
    BY_SPEAKER: N_("speakers that the model had not heard"),
    BY_WORD: N_("other words of the same speakers"),
    BY_RECORDING: N_("other recordings of the same speakers and words"),
}


@dataclass(frozen=True)
class Split:
    """`by` is speaker, word or recording, and `groups` [n] the group of each recording, which folds keep together.
    `warnings` are for people, in the words of `pipeline.runs.messages`, the loudest first."""

    by: str
    groups: tuple[str, ...]
    n_folds: int
    warnings: tuple[str, ...]


def split_of(data: TrainingData, config: TrainConfig) -> Split:
    """Raises TrainingError where the data cannot be divided as asked."""
    n_speakers = len({name_key(speaker) for speaker in data.speakers})
    words = tuple(text_key(text, data.language) for text in data.texts)
    by = config.split
    if by == AUTO:
        by = BY_SPEAKER if n_speakers >= MIN_GROUPS else BY_WORD if len(set(words)) >= MIN_GROUPS else BY_RECORDING
    groups = {BY_SPEAKER: data.speakers, BY_WORD: words, BY_RECORDING: data.recording_ids}[by]
    n_groups = len({name_key(group) for group in groups})
    if n_groups < MIN_GROUPS:
        raise TrainingError(
            N_(
                "A split by {by} needs at least {needed} of them; there are {n}. Use --split auto, which takes what "
                "the data allows."
            ),
            by=by, needed=MIN_GROUPS, n=n_groups,
        )  # fmt: skip
    n_folds = min(config.folds, n_groups)
    return Split(by, groups, n_folds, (*_loud(by, n_speakers), *_lowered(by, config.folds, n_folds)))


def _loud(by: str, n_speakers: int) -> list[str]:
    if by == BY_SPEAKER:
        return []
    return [
        f"NO NEW VOICE WAS TRIED (speakers: {n_speakers}): the data was split by {GROUP_NAMES[by]}. The figures are "
        f"for {HELD_OUT[by]}; they cannot show how the model scores another speaker, which is usually worse. Record at "
        f"least {MIN_GROUPS} speakers to find out."
    ]


def _lowered(by: str, asked: int, used: int) -> list[str]:
    return (
        []
        if used == asked
        else [f"{used} folds instead of {asked}: there are only {used} groups to split by {GROUP_NAMES[by]}."]
    )
