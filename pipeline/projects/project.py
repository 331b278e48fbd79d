"""A rating project's settings, kept in `<data root>/projects/<name>/project.json` with every change of them."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pipeline import artifacts, jsonl
from pipeline.corpus.sets import NAME, get_set, read_recordings
from pipeline.errors import AccessError, LabelError, ProjectError, UnknownNameError, said_by
from pipeline.i18n import N_, NN_, Message, about, ended, joined
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.names import name_key, same_person
from pipeline.people.people import People
from pipeline.presets import misfits, not_among, outside
from pipeline.records import Problem, RubricName, to_json
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.library import RubricLibrary
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.times import now_iso

T = TypeVar("T")
ORDERS = ("random", "disagreement", "uncertainty")
CONSENSUS = ("median", "trimmed_mean", "severity")
RATINGS, PAIRS = KINDS = ("ratings", "pairs")
JUDGEMENTS = "judgements.jsonl"  # the answers of a pair project, in its folder


@dataclass(frozen=True)
class Project:
    """The recordings of `set` (of its `part`, or all) are rated by `overlap` experts each (`experts`; all for none).

    `order`: random per rater, or by disagreement of the scorers or uncertainty of the scorer; a share of
    `random_share` is drawn at random in any case, so that an evaluation stays unbiased. New experts begin with
    `calibration` items of `gold` (known answers by recording, in the rubric's own values); later every `gold_every`th
    item is one silently, every `repeat_every`th one that they rated before. Where ratings lie more than `max_spread`
    apart (0-100), up to `extra` further experts are asked. With `hear_all`, a rating can be saved once the whole
    recording was heard. `deadline` is an ISO date, included. `rubric` names the rubric of the set's recordings; empty:
    the one that comes with Pronlab for them. A new project is saved with the rubric of its set.

    `calibrate` names the recordings of `gold` that are for calibration, which never come silently; with none, any can
    be. `assigned` gives recordings to experts by name, `shares` the others in proportion, and `quotas` is the most
    ratings of a person (`pipeline.projects.assignment`).

    Of the kind `pairs`, experts say which of two recordings is better, or with `ties` that neither is. Each recording
    is in `comparisons` pairs, with `same_text` mostly with recordings of its own text; `overlap` experts answer each
    pair, `repeat_every` brings earlier ones again with the sides swapped, and the scores of `gold` anchor the scale.
    """

    name: str
    set: str
    title: str = ""
    part: str = ""
    overlap: int = 1
    order: str = "random"
    random_share: float = 0.2
    experts: tuple[str, ...] = ()
    gold: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    calibrate: tuple[str, ...] = ()
    calibration: int = 0
    gold_every: int = 0
    repeat_every: int = 0
    max_spread: float | None = None
    extra: int = 1
    consensus: str = "median"
    deadline: str = ""
    instructions: str = ""
    hear_all: bool = False
    closed: bool = False
    assigned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    quotas: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    kind: str = RATINGS
    comparisons: int = 10
    same_text: bool = True
    ties: bool = True
    rubric: str = ""

    def __post_init__(self) -> None:
        """Raises ProjectError naming all that is wrong at once."""
        object.__setattr__(self, "experts", tuple(self.experts))
        object.__setattr__(self, "gold", {composed(key): answer for key, answer in self.gold.items()})
        object.__setattr__(self, "calibrate", tuple(map(composed, self.calibrate)))
        assigned = {name: tuple(dict.fromkeys(map(composed, ids))) for name, ids in self.assigned.items()}
        object.__setattr__(self, "assigned", assigned)
        wrong: list[str] = []
        if not NAME.fullmatch(composed(self.name)):
            text = N_("a name has up to 64 letters, digits, '-', '_', '.', got {name!r}")
            wrong.append(Message(text, name=self.name))
        wrong += not_among(self, {"order": ORDERS, "consensus": CONSENSUS, "kind": KINDS})
        limits: dict[str, tuple[float, float]] = {
            "overlap": (1, 100), "random_share": (0.0, 1.0), "calibration": (0, 1000), "gold_every": (0, 1000),
            "repeat_every": (0, 1000), "extra": (0, 20), "comparisons": (2, 100),
        }  # fmt: skip
        wrong += outside(self, limits)
        if self.max_spread is not None and not 0.0 < self.max_spread <= 100.0:
            wrong.append(Message(N_("max_spread lies in 0-100, got {value}"), value=str(self.max_spread)))
        if (self.calibration or self.gold_every) and not self.gold:
            wrong.append(Message(N_("calibration and gold items need recordings with known answers")))
        n_calibrate = len(self.calibrate) or len(self.gold)
        if self.calibration > n_calibrate:
            text = N_("calibration asks for {n} of {n_gold} recordings with known answers")
            wrong.append(Message(text, n=self.calibration, n_gold=n_calibrate))
        if not set(self.calibrate) <= set(self.gold):
            wrong.append(Message(N_("a recording for calibration needs a known answer")))
        if self.gold_every and self.gold and set(self.gold) <= set(self.calibrate):
            wrong.append(Message(N_("all known answers are for calibration; unannounced ones need others")))
        wrong += self._wrong_people()
        if self.experts and self.overlap > len(self.experts):
            text = NN_(
                "overlap {overlap} needs as many experts, there is {n}",
                "overlap {overlap} needs as many experts, there are {n}",
            )
            wrong.append(Message(text, overlap=self.overlap, n=len(self.experts)))
        if self.deadline:
            try:
                object.__setattr__(self, "deadline", datetime.fromisoformat(self.deadline).date().isoformat())
            except (ValueError, TypeError):
                wrong.append(Message(N_("deadline is a date like 2026-12-31, got {value!r}"), value=self.deadline))
        return self._refuse(wrong)

    def _wrong_people(self) -> list[str]:
        """What is wrong with who is given how much."""
        wrong: list[str] = [
            Message(N_("{name} is given recordings and is not among the experts"), name=name)
            for name in dict.fromkeys((*self.assigned, *self.shares, *self.quotas))
            if not self.includes(name)
        ]
        for name, share in self.shares.items():
            if not 0.0 < share < math.inf:
                wrong.append(Message(N_("a share is above 0, got {value} for {name}"), value=str(share), name=name))
        for name, quota in self.quotas.items():
            if quota < 1:
                wrong.append(Message(N_("a quota is 1 or more, got {value} for {name}"), value=str(quota), name=name))
        n_sharing = len(set(map(name_key, self.shares)))
        if self.shares and n_sharing < self.overlap:
            text = NN_(
                "overlap {overlap} needs as many people with a share, there is {n}",
                "overlap {overlap} needs as many people with a share, there are {n}",
            )
            wrong.append(Message(text, overlap=self.overlap, n=n_sharing))
        return wrong

    def quota_of(self, name: str) -> int | None:
        """The most ratings of this person; None for no limit."""
        return next((quota for person, quota in self.quotas.items() if same_person(person, name)), None)

    def _refuse(self, wrong: list[str]) -> None:
        if wrong:
            raise ProjectError(N_("This project cannot be: {reasons}."), reasons=joined(wrong))

    @property
    def is_over(self) -> bool:
        """Whether it was closed, or its deadline has passed."""
        return self.closed or bool(self.deadline and datetime.now(UTC).date().isoformat() > self.deadline[:10])

    def require_expert(self, identity: Identity) -> None:
        """Raises AccessError for somebody who may not rate, here or at all."""
        identity.require(Action.RATE)
        if not self.includes(identity.name):
            raise AccessError(
                N_("{name} is not among the experts of {project}."),
                name=identity.name,
                project=self.title or self.name,
            )

    def includes(self, name: str) -> bool:
        return not self.experts or any(same_person(name, expert) for expert in self.experts)


def folder_of(settings: Settings, name: str) -> Path:
    if not NAME.fullmatch(composed(name)):
        raise ProjectError(N_("{name!r} cannot name a project."), name=name)
    return settings.data_root / "projects" / composed(name)


def list_projects(settings: Settings) -> list[Project]:
    """By name; a damaged one hides none of the others, and `damaged_projects` names it."""
    projects: list[Project] = []
    for file in _files(settings):
        with suppress(ProjectError):
            projects.append(_read(file))
    return projects


def damaged_projects(settings: Settings) -> list[Problem]:
    """What is wrong with projects that `list_projects` passes over."""
    problems: list[Problem] = []
    for file in _files(settings):
        try:
            _read(file)
        except ProjectError as error:
            problems.append(Problem("broken_project", error.text, "error", file.parent.name))
    return problems


def get_project(settings: Settings, name: str) -> Project:
    """Raises ProjectError where there is none of that name, or it is damaged."""
    file = folder_of(settings, name) / "project.json"
    if not file.is_file():
        known = ", ".join(project.name for project in list_projects(settings)) or Message(N_("none yet"))
        raise ProjectError(N_("Unknown project {name!r}; there are: {known}."), name=name, known=known)
    return _read(file)


def save_project(settings: Settings, project: Project, by: Identity) -> Project:
    """Keep it, with its experts as the installation knows them, and who changed what. Raises ProjectError for
    recordings that the set does not have, answers outside the rubric, and another set once something was rated: those
    ratings would belong to nothing."""
    by.require(Action.MANAGE_PROJECTS)
    with _changing(settings, project.name) as file:
        return _save(settings, file, project, by)


def change_project(settings: Settings, name: str, change: Callable[[Project], Project], by: Identity) -> Project:
    """Keep what `change` makes of the project as it is now, so that what others change at the same time stays. Raises
    ProjectError as `get_project` and `save_project`."""
    by.require(Action.MANAGE_PROJECTS)
    with _changing(settings, name) as file:
        return _save(settings, file, change(get_project(settings, name)), by)


@contextmanager
def _changing(settings: Settings, name: str) -> Iterator[Path]:
    """The project's file, locked."""
    file = folder_of(settings, name) / "project.json"
    with locked(settings, file, ProjectError):
        yield file


def _save(settings: Settings, file: Path, project: Project, by: Identity) -> Project:
    people = People(settings)
    once: dict[str, str] = {}
    for name in project.experts:
        once.setdefault(name_key(name), people.spelling(name))
    project = replace(
        project, experts=tuple(once.values()), assigned=_spelled(people, project.assigned),
        shares=_spelled(people, project.shares), quotas=_spelled(people, project.quotas),
    )  # fmt: skip
    before = _read(file) if file.is_file() else None
    if before is None:
        project = replace(project, rubric=rubric_of_new(settings, project.set, project.rubric))
    _check_recordings(settings, project, rubric_of(settings, project))
    if before is not None and before.set != project.set and _was_rated(settings, project.name):
        raise ProjectError(
            N_("{project} was rated on the set {set!r} already. Close it, and make another project for {new_set!r}."),
            project=project.name,
            set=before.set,
            new_set=project.set,
        )
    if before is not None and before.kind != project.kind:
        raise ProjectError(
            N_("{project} stays a project of its kind. Close it, and make another one."), project=project.name
        )
    if before is not None and before.rubric != project.rubric and _was_rated(settings, project.name):
        raise ProjectError(
            N_("{project} was rated with another rubric already. Close it, and make another project for this one."),
            project=project.name,
        )
    artifacts.write_json(file, project)
    old, new = ({} if p is None else to_json(asdict(p)) for p in (before, project))
    changed = {key: [old.get(key), new[key]] for key in new if old.get(key) != new[key]}
    if changed:
        jsonl.append(file.parent / "changes.jsonl", {"at": now_iso(), "by": by.name, "changed": changed})
    return project


def _spelled(people: People, by_name: Mapping[str, T]) -> dict[str, T]:
    return {people.spelling(name): value for name, value in by_name.items()}


def rubric_of_new(settings: Settings, set_name: str, asked: str = "") -> str:
    """What a new project of a set names as its rubric: the one asked for, else the set's. It keeps that whatever
    the set is rated with later."""
    return asked or get_set(settings, set_name).rated_with


def rubric_of(settings: Settings, project: Project, unit: RubricName | None = None) -> Rubric:
    """With which the recordings of the project are rated: the rubric that it names, else the shipped one. Recordings of
    another `unit` than the set's are rated with the shipped one of theirs.

    Raises UnknownNameError or RubricError where the rubric is not there, LabelError where it is of another unit."""
    of_set = get_set(settings, project.set).rubric
    if unit not in (None, of_set):
        return RUBRICS[unit or of_set]
    try:
        return RubricLibrary(settings).rating(of_set, project.rubric)
    except UnknownNameError as error:
        raise UnknownNameError(
            N_("{project} is rated with the rubric {name!r}, which is not there. Add its file on the Projects page, or "
               "with `pronlab rubric add`."),
            project=project.title or project.name, name=project.rubric,
        ) from error  # fmt: skip


def known_scores(project: Project, rubric: Rubric) -> dict[str, float]:
    """The known answers as 0-100, by recording; without those that lie off the scales of a newer version of the rubric,
    which are named when the project is next saved."""
    scores = {}
    for key, answer in project.gold.items():
        with suppress(LabelError):
            scores[key] = rubric.overall_score(answer)
    return scores


def changes(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Every change of the project, oldest first: at, by, changed (setting to before and after)."""
    file = folder_of(settings, name) / "changes.jsonl"
    if not file.is_file():
        return []
    return list(jsonl.read(file, cut_end=True))


def _files(settings: Settings) -> list[Path]:
    return sorted((settings.data_root / "projects").glob("*/project.json"))


def _read(file: Path) -> Project:
    known = {f.name for f in fields(Project)}
    try:
        raw = artifacts.read_json(file)
        values = {key: value for key, value in raw.items() if key in known}
        for key in ("experts", "calibrate"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        if isinstance(values.get("assigned"), dict):
            values["assigned"] = {
                name: tuple(ids) if isinstance(ids, list) else ids for name, ids in values["assigned"].items()
            }
        if wrong := misfits(Project, values):
            raise ValueError(joined(wrong))
        project = Project(**values)
        if composed(project.name) != composed(file.parent.name):
            raise ValueError(Message(N_("it is the project {name!r}"), name=project.name))
        return project
    except (OSError, ValueError, TypeError, AttributeError, ProjectError) as error:
        raise ProjectError(
            N_("{file} is damaged ({reason}). Ratings are safe; set the project up anew."),
            file=str(file), reason=said_by(error),
        ) from error  # fmt: skip


def _check_recordings(settings: Settings, project: Project, rubric: Rubric) -> None:
    """Those with known answers, and those that are given to somebody."""
    named = dict.fromkeys((*project.gold, *(key for ids in project.assigned.values() for key in ids)))
    if not named:
        return
    there = {recording.id for recording in read_recordings(settings, project.set)}
    wrong: list[str] = [
        Message(N_("{recording} is not in the set {set!r}"), recording=key, set=project.set)
        for key in named
        if key not in there
    ]
    for key, answer in project.gold.items():
        try:
            rubric.check(answer)
        except LabelError as error:
            wrong.append(about(key, error.text))
    if len(wrong) > 3:
        wrong[3:] = [Message(N_("and {n} more"), n=len(wrong) - 3)]
    if wrong:
        raise ProjectError(
            N_("The known answers or assignments cannot be used: {reasons}"),
            reasons=joined([ended(reason) for reason in wrong], ""),
        )


def _was_rated(settings: Settings, name: str) -> bool:
    from pipeline.labels.index import Index

    if (folder_of(settings, name) / JUDGEMENTS).is_file():
        return True
    index = Index(settings)
    index.ensure()
    return bool(index.rows("SELECT 1 FROM events WHERE project = ? LIMIT 1", [name]))
