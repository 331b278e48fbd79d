"""Collected prompts: `<data root>/prompts.jsonl`, append-only; of one id the last line stands. What writes asks who
acts (`by`; None will do on an open installation) and raises AccessError for who may not."""

import hashlib
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import cells, jsonl
from pipeline.errors import AccessError, LabelError, PronlabError, TableError, TrainingError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.names import same_person, spaced, spelled_as
from pipeline.people.people import People, permit
from pipeline.settings import Settings
from pipeline.tablefile import read_table
from pipeline.times import now_iso

LONGEST = 8000
COLUMNS = {
    "id": ("prompt id",), "text": ("prompt", "metin", "istem"), "author": ("writer", "written by", "yazar", "yazan"),
    "score": ("rating", "puan"), "rater": ("evaluator", "değerlendirici"), "notes": ("note", "comment", "notlar"),
}  # fmt: skip


class PromptError(PronlabError):
    """A prompt, a score or a note that cannot be kept."""


@dataclass(frozen=True)
class Prompt:
    """`score` (0-100) is `rater`'s, None while nobody gave one; `removed` ones are not read any more."""

    id: str
    text: str
    author: str
    score: float | None = None
    rater: str = ""
    notes: str = ""
    at: str = ""
    removed: bool = False


def check_length(text: str) -> None:
    """Raises PromptError for a text that is empty, blanks aside, or too long."""
    n = len(text) if text.strip() else 0
    if not 0 < n <= LONGEST:
        raise PromptError(N_("A prompt has 1 to {longest} characters, got {n}."), longest=LONGEST, n=n)


class Store:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = settings.data_root / "prompts.jsonl"

    def all(self) -> list[Prompt]:
        """In the order in which they came."""
        return read_file(self._file, cut_end=True) if self._file.is_file() else []

    def add(
        self,
        text: str,
        author: str,
        score: float | None = None,
        rater: str = "",
        notes: str = "",
        by: Identity | None = None,
    ) -> Prompt:
        """Raises PromptError."""
        permit(self._settings, by, Action.COLLECT_PROMPTS)
        rater = self._rater(rater, by) if rater or score is not None else ""
        author = self._known(author.strip(), [prompt.author for prompt in self.all()])
        return self._keep(Prompt(uuid.uuid4().hex[:12], text.strip(), author, score, rater, notes.strip()))

    def rate(self, prompt: str, score: float, rater: str, notes: str = "", by: Identity | None = None) -> Prompt:
        """A later score stands; the earlier one stays in the file. Raises PromptError."""
        permit(self._settings, by, Action.COLLECT_PROMPTS)
        rater = self._rater(rater, by)
        return self._keep(replace(self._get(prompt), score=score, rater=rater, notes=notes.strip()))

    def remove(self, prompt: str, by: Identity | None = None) -> None:
        permit(self._settings, by, Action.COLLECT_PROMPTS)
        self._keep(replace(self._get(prompt), removed=True))

    def add_file(self, path: Path, by: Identity | None = None) -> int:
        """Take over the prompts of a file; those whose ids are known are passed over. Raises TrainingError."""
        permit(self._settings, by, Action.IMPORT_DATA, Action.TRAIN)
        known = {prompt.id for prompt in self.all()}
        new = [prompt for prompt in read_file(path) if prompt.id not in known]
        for prompt in new:
            self._keep(prompt)
        return len(new)

    def _rater(self, name: str, by: Identity | None) -> str:
        """Who rates, as this installation knows them. Raises AccessError for a rating in another's name."""
        known = self._known(name.strip(), [prompt.rater for prompt in self.all() if prompt.rater])
        if by is not None and not same_person(by.name, known):
            raise AccessError(
                N_("{name} cannot rate in the name of {other}."), name=by.name, other=known or Message(N_("nobody"))
            )
        return known

    def _known(self, name: str, before: list[str]) -> str:
        with suppress(LabelError):  # what is no name is told where it is kept
            return spelled_as(name, before) or People(self._settings).spelling(name)
        return name

    def _get(self, prompt: str) -> Prompt:
        stored = next((known for known in self.all() if known.id == prompt), None)
        if stored is None:
            raise PromptError(N_("There is no prompt {prompt!r}."), prompt=prompt)
        return stored

    def _keep(self, prompt: Prompt) -> Prompt:
        check_length(prompt.text)
        if not 0 < len(prompt.author) <= 80:
            raise PromptError(N_("Say who wrote it, in 1 to 80 characters: folds keep a person's prompts together."))
        if prompt.score is not None and not 0.0 <= prompt.score <= 100.0:
            raise PromptError(N_("A score lies in 0-100, got {score:g}."), score=prompt.score)
        kept = replace(prompt, at=now_iso())
        with locked(self._settings, self._file, PromptError):
            jsonl.append(self._file, kept)
        return kept


def read_file(path: Path, *, cut_end: bool = False) -> list[Prompt]:
    """JSON lines, or a table (CSV or Excel) with the columns text, author and score. Raises TrainingError where it is
    neither, naming the line. `cut_end` leaves out a last line that was cut off while it was saved."""
    prompts: dict[str, Prompt] = {}
    try:
        if not _is_json(path):
            return _of_table(path)
        for line in jsonl.lines(path):
            if line.cut and cut_end and line.error is not None:
                continue
            prompt = _prompt(line, path)
            prompts[prompt.id] = prompt
    except OSError as error:
        raise TrainingError(N_("{path} cannot be read: {reason}."), path=str(path), reason=said_by(error)) from error
    return [prompt for prompt in prompts.values() if not prompt.removed]


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return start[:1] in (b"", b"{", b"[")


def _of_table(path: Path) -> list[Prompt]:
    """Rows without an id have that of their text and author, so that a table can be imported again."""
    prompts: dict[str, Prompt] = {}
    try:
        table = read_table(path.read_bytes(), COLUMNS, ("text", "author"))
        for row in table.rows:
            values = row.cells
            text, author = values.get("text", "").strip(), spaced(values.get("author", ""))
            if row.problem is not None or not text or not author:
                reason = row.problem or Message(N_("has no text or no author"))
                raise TrainingError(
                    about(str(path), Message(N_("Line {line} {problem}"), line=str(row.line), problem=reason))
                )
            try:
                score = cells.number(values["score"]) if "score" in values else None
            except cells.CellError as error:
                raise TrainingError(
                    N_("{path}, line {line}, score: {reason}"),
                    path=str(path),
                    line=str(row.line),
                    reason=said_by(error),
                ) from error
            digest = hashlib.sha256(f"{author}\n{text}".encode()).hexdigest()[:12]
            id_ = values.get("id", digest).strip()
            rater, notes = spaced(values.get("rater", "")), values.get("notes", "").strip()
            prompts[id_] = Prompt(id_, text, author, score, rater, notes)
    except TableError as error:
        raise TrainingError(about(str(path), said_by(error))) from error
    return list(prompts.values())


def _prompt(line: jsonl.Line, path: Path) -> Prompt:
    try:
        if line.error is not None:
            raise ValueError(line.error.reason)
        raw = line.value
        return Prompt(
            str(raw["id"]), str(raw["text"]), str(raw["author"]),
            None if raw.get("score") is None else float(raw["score"]), str(raw.get("rater", "")),
            str(raw.get("notes", "")), str(raw.get("at", "")), bool(raw.get("removed", False)),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            N_("{path}, line {line} is no prompt ({reason}): it needs id, text, author, and a score or none."),
            path=str(path),
            line=str(line.number),
            reason=said_by(error),
        ) from error
