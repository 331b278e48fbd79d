"""What a learner lets an installation keep: asked once, changed at any time; and the download of all of it.

As in `attempts`, everything asks who acts, and is the learner's alone.
"""

import io
import zipfile
from enum import StrEnum

from pipeline import artifacts, csvfile
from pipeline.errors import AttemptError
from pipeline.i18n import N_
from pipeline.people.access import Identity
from pipeline.people.people import permit_own
from pipeline.practice.attempts import CONSENT, PIN, Attempt, learner_folder, read_attempts
from pipeline.settings import Settings
from pipeline.times import now_iso
from pipeline.write_errors import not_written

COLUMNS = ("at", "lesson", "text", "overall", "band", "scoring_method", "model_id", "recording")


class Keep(StrEnum):
    RECORDINGS = "recordings"
    SCORES = "scores"
    NOTHING = "nothing"


UNDER_THE_NAME = (Keep.RECORDINGS, Keep.SCORES)  # what keeps scores as somebody's
IN_WORDS = {
    Keep.RECORDINGS: N_("We keep your recordings and scores so that you can listen to earlier attempts."),
    Keep.SCORES: N_("We keep your scores, without the recordings, so that you can see your progress."),
    Keep.NOTHING: N_("We keep nothing of your practice."),
}


def consent_of(settings: Settings, learner: str, by: Identity | None = None) -> Keep | None:
    """None while the learner has not been asked; a file that cannot be read counts as not asked."""
    permit_own(settings, by, learner)
    try:
        raw = artifacts.read_json(learner_folder(settings, learner) / CONSENT)
        return Keep(raw["keep"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def give_consent(settings: Settings, learner: str, keep: Keep, by: Identity | None = None) -> None:
    """From now on; what was kept before stays until it is deleted. Raises AttemptError on a full disk."""
    permit_own(settings, by, learner)
    file = learner_folder(settings, learner) / CONSENT
    try:
        artifacts.write_json(file, {"learner": learner, "keep": keep, "words": IN_WORDS[keep], "at": now_iso()})
    except OSError as error:
        raise AttemptError(not_written(N_("Your answer could not be saved ({reason})."), file, error)) from error


def drop_recordings(settings: Settings, learner: str, by: Identity | None = None) -> int:
    """Delete all recordings, also those whose scores cannot be read, and keep the scores; how many were deleted."""
    permit_own(settings, by, learner)
    recordings = sorted(learner_folder(settings, learner).glob("*/*.wav"))
    for audio in recordings:
        audio.unlink(missing_ok=True)
    return len(recordings)


def exported(settings: Settings, learner: str, by: Identity | None = None) -> bytes:
    """A zip of everything that is kept of a learner: `attempts.csv`, each result as JSON, each recording as WAV."""
    attempts = read_attempts(settings, learner, by=by).attempts
    home = learner_folder(settings, learner)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        table = csvfile.of_records(COLUMNS, (_row(attempt, home.name) for attempt in attempts))
        packed.writestr("attempts.csv", csvfile.download(table))
        for path in sorted(home.rglob("*")):
            if path.is_file() and path.name != PIN and not path.name.startswith(artifacts.TEMPORARY_PREFIX):
                packed.write(path, str(path.relative_to(home)))
    return content.getvalue()


def _row(attempt: Attempt, home: str) -> dict[str, object]:
    recording = "" if attempt.audio is None else attempt.audio.as_posix().partition(f"/{home}/")[2]
    result = {name: attempt.result.get(name) for name in ("overall", "band", "scoring_method", "model_id")}
    return {"at": attempt.at, "lesson": attempt.lesson, "text": attempt.text, **result, "recording": recording}
