"""What no scorer should judge: silence, fragments, noise. A refusal is a state of its own, never a score of 0."""

from pipeline.i18n import N_, Message
from pipeline.records import AudioReport, ScoreResult, State, Target

# Speech in noise at -3 dB is no longer words to a scorer, whatever it answers.
MIN_SNR_DB = 1.0
MAX_SILENCE_SHARE = 0.97


def refusal(report: AudioReport, scorer: str, model_id: str, target: Target) -> ScoreResult | None:
    """The answer for a recording that cannot be scored, with the reasons as warnings; None for one that can."""
    reasons = [problem.message for problem in report.problems if problem.severity == "error"]
    if not reasons and report.snr_db is not None and report.snr_db < MIN_SNR_DB:
        reasons.append(Message(N_("The noise covers the speech. Record in a quieter place, closer to the microphone.")))
    if not reasons and report.silence_share > MAX_SILENCE_SHARE:
        reasons.append(Message(N_("The recording is almost all silence. Start speaking once it is recording.")))
    if not reasons:
        return None
    return ScoreResult(
        overall=None,
        band=None,
        scoring_method="none",
        scorer=scorer,
        model_id=model_id,
        target=target,
        warnings=tuple(reasons),
        state=State.REFUSED,
    )
