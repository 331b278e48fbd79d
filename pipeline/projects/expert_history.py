"""What one expert did in a project, as the index has it."""

import json

from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.projects.project import Project
from pipeline.records import Purpose, RatingAction

# The last that an expert did with an item in the project, where they left it for later.
_PUT_OFF_HERE = """
    SELECT e.recording_id, e.purpose, e.at FROM events e
    WHERE e.evaluator = ? AND e.project = ? AND e.stands AND e.action = 'skip'
    AND json_extract(e.body, '$.reason') = ? AND NOT EXISTS (
        SELECT 1 FROM events l WHERE l.recording_id = e.recording_id AND l.evaluator = e.evaluator
        AND l.project = e.project AND l.purpose = e.purpose AND l.number > e.number AND l.stands
    )
"""


class ExpertHistory:
    """Every answer is of now. What was taken back does not count."""

    def __init__(self, index: Index, project: Project, evaluator: str) -> None:
        self._index, self._project, self._me = index, project, evaluator

    def by_purpose(self) -> dict[Purpose, int]:
        """How many recordings they rated, skipped or flagged."""
        sql = """
            SELECT purpose, count(DISTINCT recording_id) AS n FROM events WHERE project = ? AND evaluator = ? AND stands
            AND action IN ('rate', 'skip', 'flag') GROUP BY purpose
        """
        return {Purpose(row["purpose"]): row["n"] for row in self._index.rows(sql, [self._project.name, self._me])}

    def by_action(self) -> dict[RatingAction, int]:
        """How often they rated, skipped and flagged."""
        sql = """
            SELECT action, count(*) AS n FROM events WHERE project = ? AND evaluator = ? AND stands GROUP BY action
        """
        done = {row["action"]: row["n"] for row in self._index.rows(sql, [self._project.name, self._me])}
        return {action: done.get(action, 0) for action in (RatingAction.RATE, RatingAction.SKIP, RatingAction.FLAG)}

    def seen(self, purpose: Purpose) -> set[str]:
        """The recordings that they had for this purpose."""
        sql = "SELECT recording_id FROM events WHERE project = ? AND evaluator = ? AND purpose = ? AND stands"
        rows = self._index.rows(sql, [self._project.name, self._me, str(purpose)])
        return {row["recording_id"] for row in rows}

    def rated(self) -> list[str]:
        """The recordings that they rated as work, oldest first."""
        sql = """
            SELECT recording_id FROM events WHERE project = ? AND evaluator = ? AND purpose = '' AND stands
            AND action = 'rate' GROUP BY recording_id ORDER BY min(at)
        """
        return [row["recording_id"] for row in self._index.rows(sql, [self._project.name, self._me])]

    def dealt_with(self) -> set[str]:
        """What of the set they have rated, skipped, flagged or left for later, in any project."""
        sql = "SELECT recording_id FROM ratings WHERE evaluator = ? AND set_name = ?"
        return {row["recording_id"] for row in self._index.rows(sql, [self._me, self._project.set])}

    def met(self) -> set[str]:
        """Of the recordings with known answers, those that they dealt with in any project: a rating, skip or flag that
        stands, or calibration, whose answers are shown."""
        sql = """
            SELECT DISTINCT recording_id FROM events WHERE evaluator = ? AND (stands OR purpose = 'calibration')
            AND action IN ('rate', 'skip', 'flag') AND recording_id IN (SELECT value FROM json_each(?))
        """
        rows = self._index.rows(sql, [self._me, json.dumps(list(self._project.gold))])
        return {row["recording_id"] for row in rows}

    def put_off(self) -> list[tuple[str, Purpose]]:
        """What they left for later, the longest put off first: work of any project, else items of this one."""
        work = """
            SELECT recording_id, '' AS purpose, at FROM ratings
            WHERE evaluator = ? AND set_name = ? AND action = 'skip' AND reason = ?
        """
        sql = f"SELECT * FROM ({work} UNION ALL SELECT * FROM ({_PUT_OFF_HERE}) WHERE purpose <> '') ORDER BY at"  # noqa: S608
        rows = self._index.rows(sql, [self._me, self._project.set, LATER, self._me, self._project.name, LATER])
        return [(row["recording_id"], Purpose(row["purpose"])) for row in rows]

    def put_off_here(self) -> set[tuple[str, Purpose]]:
        """What they left for later in the project."""
        rows = self._index.rows(_PUT_OFF_HERE, [self._me, self._project.name, LATER])
        return {(row["recording_id"], Purpose(row["purpose"])) for row in rows}
