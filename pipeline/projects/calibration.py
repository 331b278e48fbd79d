"""An expert's calibration in a project: ratings compared with the known answers."""

from dataclasses import dataclass

from pipeline import artifacts
from pipeline.labels.index import Index
from pipeline.labels.result_file import event_from_json
from pipeline.people.access import Identity
from pipeline.projects.project import Project, known_scores, rubric_of
from pipeline.settings import Settings


@dataclass(frozen=True)
class CalibrationResult:
    """An expert's `rating` of a recording and its known answer, `reference`, both 0-100."""

    text: str
    rating: float
    reference: float

    @property
    def error(self) -> float:
        return self.rating - self.reference


def calibration_results(settings: Settings, project: Project, identity: Identity) -> list[CalibrationResult]:
    """This expert's calibration items in the order they were rated; later known answers stay hidden."""
    sql = """
        SELECT e.body, r.id, r.text FROM events e JOIN recordings r ON r.id = e.recording_id
        WHERE e.project = ? AND e.evaluator = ? AND e.purpose = 'calibration' AND e.action = 'rate' AND e.stands
        ORDER BY e.at
    """
    known = known_scores(project, rubric_of(settings, project))
    return [
        CalibrationResult(row["text"], float(event.score), known[row["id"]])
        for row in Index(settings).rows(sql, [project.name, identity.name])
        if (event := event_from_json(artifacts.loads(row["body"]))).score is not None and row["id"] in known
    ]
