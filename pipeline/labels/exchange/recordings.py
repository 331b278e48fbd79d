"""The labelled recordings of a set, as every export takes them: read from the label files, damaged ones named."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.corpus.sets import (
    RecordingSet,
    audio_path,
    get_set,
    language_of,
    list_sets,
    read_recordings,
    result_path,
)
from pipeline.errors import CorpusError, LabelError
from pipeline.i18n import N_, Message
from pipeline.labels.consensus import Consensus
from pipeline.labels.foreign_scores import Labelled, with_known_scales
from pipeline.labels.history import NOT_COUNTED, Review, lasting_events, review
from pipeline.labels.index import Index
from pipeline.labels.marked_words import MarkedWord, marked_words
from pipeline.labels.result_file import ResultFile, read_result, respelled
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Problem, RatingAction, RatingEvent, Recording
from pipeline.settings import Settings


@dataclass(frozen=True)
class LabelledRecording:
    """A recording with its audio file, what stands of its history (ratings, skips and flags with calibrations and
    repeats, decisions, requests), and what follows from that. `language` is its set's where it has none of its own."""

    recording: Recording
    audio: Path
    events: tuple[RatingEvent, ...]
    consensus: Consensus | None
    review: Review
    language: str = "und"

    @property
    def words(self) -> list[MarkedWord]:
        """Those that marks and segments count."""
        return marked_words(self.recording, self.language)

    @property
    def is_excluded(self) -> bool:
        verdict = self.review.verdict
        return verdict is not None and verdict.action is RatingAction.EXCLUDE

    def counts(self, event: RatingEvent) -> bool:
        """Whether the event is one of the ratings whose median the consensus is, or the decision that replaces it."""
        agreed = self.consensus
        if agreed is None or event.action not in (RatingAction.RATE, RatingAction.DECIDE):
            return False
        if self.review.verdict is not None:
            return event == self.review.verdict
        return event.evaluator in agreed.evaluators and event.purpose not in NOT_COUNTED


@dataclass(frozen=True)
class Labels:
    """What can be exported, and the label files that cannot be read (`path` of each is the recording's id)."""

    recordings: tuple[LabelledRecording, ...]
    left_out: tuple[Problem, ...] = ()


def labels_of(settings: Settings, set_name: str | None, by: Identity | None = None) -> Labels:
    """Of one set, or of all of them. A label file that cannot be read is left out and stops none of the others.

    Raises LabelError where nothing is left to export, AccessError for who may not export.
    """
    permit(settings, by, Action.EXPORT)
    sets = list_sets(settings) if set_name is None else [get_set(settings, set_name)]
    index = Index(settings)
    index.ensure()
    names = index.rater_names()
    recordings: list[LabelledRecording] = []
    left_out: list[Problem] = []
    for set_ in sets:
        results: Labelled = []
        for recording in read_recordings(settings, set_.name):
            try:
                result = read_result(result_path(set_, recording))
            except (LabelError, CorpusError) as error:
                left_out.append(Problem("broken_label", error.text, "error", recording.id))
                continue
            if result is not None:
                results.append((recording, result))
        known, held, told = with_known_scales(set_.name, results)
        left_out += [Problem("label_scale", problem.message, "error", key) for problem in told for key in sorted(held)]
        for recording, result in known:
            labelled = _labelled(set_, recording, respelled(result, names.of))
            if labelled is not None:
                recordings.append(labelled)
    if not recordings:
        nothing = Message(N_("There are no ratings to export. Rate recordings first."))
        if set_name is not None:
            nothing = Message(N_("There are no ratings to export in {set!r}. Rate recordings first."), set=set_name)
        if left_out:
            nothing = Message(
                N_("{text} Label files that cannot be read: {n}; the first: {problem}"),
                text=nothing, n=len(left_out), problem=left_out[0].message,
            )  # fmt: skip
        raise LabelError(nothing)
    return Labels(tuple(recordings), tuple(left_out))


def _labelled(set_: RecordingSet, recording: Recording, result: ResultFile) -> LabelledRecording | None:
    """None where nobody has said anything that stands."""
    events = tuple(lasting_events(result.ratings))
    if not events:
        return None
    audio, language = audio_path(set_, recording), language_of(set_, recording)
    return LabelledRecording(recording, audio, events, result.consensus, review(result.ratings), language)
