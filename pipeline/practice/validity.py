"""Whether a recording was an attempt at its text at all.

What was no attempt (another text, silence, a file that is cut off, a voice that drowns in clipping) says nothing of
how somebody speaks: it is told to the learner and offered again, and is in no mean and no progress.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.audio.check import CUT_OFF
from pipeline.i18n import N_, Message
from pipeline.records import ScoreResult, State

# Of the samples. 40 recordings of speechocean762's train part, made louder step by step until they clipped, scored as
# before up to here (0.7 points more, sd 2.0, n 69); .1 to .2: 1.0 less, sd 5.1, n 34; above: 13.0 less, sd 25.7, n 93.
TOO_LOUD_SHARE = 0.1
REASONS: Mapping[State, str] = {
    State.NO_SPEECH: N_("No voice was heard, or too little of it."),
    State.OTHER_TEXT: N_("Something other than the text was heard."),
    State.TOO_SHORT: N_("The recording ended before the text was read."),
    State.TOO_LONG: N_("Much more than the text was said."),
    State.REFUSED: N_("The recording could not be understood."),
}
CUT = N_("The recording is cut off.")
TOO_LOUD = N_("The recording is too loud: the voice is distorted.")


@dataclass(frozen=True)
class Heard:
    """What a result says of the recording, whether it was just made or read from a file."""

    state: State
    has_score: bool
    is_cut: bool
    clipped_share: float


def why_no_attempt(result: ScoreResult) -> Message | None:
    """What the learner is told; None for an attempt."""
    audio = result.audio
    is_cut = audio is not None and any(problem.code == CUT_OFF for problem in audio.problems)
    clipped = 0.0 if audio is None else audio.clipped_share
    return _reason(Heard(result.state, result.overall is not None, is_cut, clipped))


def is_attempt(saved: Mapping[str, Any]) -> bool:
    """The same of a result in a file, also of those that were saved before this was asked."""
    try:
        audio = saved.get("audio") or {}
        is_cut = any(problem.get("code") == CUT_OFF for problem in audio.get("problems") or ())
        heard = Heard(
            State(saved.get("state") or State.SCORED), saved.get("overall") is not None, is_cut,
            float(audio.get("clipped_share") or 0.0),
        )  # fmt: skip
    except (ValueError, TypeError, AttributeError):  # written by hand, or by a release to come
        return False
    return _reason(heard) is None


def _reason(heard: Heard) -> Message | None:
    if heard.state in REASONS:
        return Message(REASONS[heard.state])
    if heard.is_cut:
        return Message(CUT)
    if heard.clipped_share > TOO_LOUD_SHARE:
        return Message(TOO_LOUD)
    return None if heard.has_score else Message(REASONS[State.REFUSED])
