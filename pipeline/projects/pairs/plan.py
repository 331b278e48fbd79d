"""The pairs of a project, kept in its folder: made once, and added to when recordings join the set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import ProjectError, said_by
from pipeline.i18n import N_, Message
from pipeline.labels.index import Index
from pipeline.locks import locked
from pipeline.projects.pairs.design import Pair, design
from pipeline.projects.pairs.judgements import Judgements
from pipeline.projects.project import Project, folder_of
from pipeline.settings import Settings
from pipeline.text import composed
from pipeline.write_errors import not_written

FILE = "pairs.json"


@dataclass(frozen=True)
class Item:
    """A recording of a pair project."""

    id: str
    text: str
    speaker: str


@dataclass(frozen=True)
class Plan:
    """`items` are the recordings to compare, by id; `pairs` those of the design of which both are among them, each with
    its recordings whatever their sides (`keys`)."""

    items: dict[str, Item]
    pairs: tuple[Pair, ...]
    keys: Mapping[Pair, frozenset[str]]


def plan_of(settings: Settings, project: Project) -> Plan:
    """Raises ProjectError for a set with fewer than two recordings, or a plan that cannot be read or written."""
    items = _items(settings, project)
    if len(items) < 2:
        raise ProjectError(
            N_("Pairs need at least two recordings; the project {project} has {n} in the set {set!r}."),
            project=project.name, n=len(items), set=project.set,
        )  # fmt: skip
    file = folder_of(settings, project.name) / FILE
    rule = [project.comparisons, project.same_text, project.seed]
    stored = _read(file)
    if stored.get("rule") != rule or not items.keys() <= _ids(stored):
        with locked(settings, file, ProjectError):
            stored = _read(file)
            if stored.get("rule") != rule or not items.keys() <= _ids(stored):
                stored = {"rule": rule, "pairs": _designed(settings, project, items, stored)}
                _write(file, stored)
    keys: dict[Pair, frozenset[str]] = stored.get("keys") or _keys(stored["pairs"])
    if not _ids(stored) <= items.keys():
        keys = {pair: key for pair, key in keys.items() if key <= items.keys()}
    return Plan(items, tuple(keys), keys)


def _designed(settings: Settings, project: Project, items: dict[str, Item], stored: dict[str, Any]) -> list[Pair]:
    """Made anew while nobody has answered, afterwards what was there and what it lacks."""
    before: list[Pair] = []
    if Judgements(settings, project.name).standing():
        before = [(left, right) for left, right in stored.get("pairs", ())]
    texts = {key: composed(item.text).casefold() for key, item in items.items()}
    return design(texts, project.comparisons, same_text=project.same_text, seed=project.seed, before=before)


def _items(settings: Settings, project: Project) -> dict[str, Item]:
    """The recordings of the project's set and part but those that a reviewer excluded, and damaged ones."""
    sql = """
        SELECT id, text, speaker FROM recordings
        WHERE set_name = ? AND (? = '' OR part = ?) AND review NOT IN ('exclude', 'damaged') ORDER BY id
    """
    rows = Index(settings).rows(sql, [project.set, project.part, project.part])
    return {row["id"]: Item(**row) for row in rows}


_cached: dict[Path, tuple[str, dict[str, Any]]] = {}


def _read(file: Path) -> dict[str, Any]:
    """Nothing where there is no file."""
    if not file.is_file():
        return {}
    stamp = artifacts.stamp_of(file)
    known = _cached.get(file)
    if known is not None and known[0] == stamp:
        return known[1]
    try:
        stored: dict[str, Any] = artifacts.read_json(file)
        if not all(len(pair) == 2 for pair in stored["pairs"]):
            raise ValueError(Message(N_("a pair has two recordings")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProjectError(
            N_("{file} is damaged ({reason}). Remove it: the pairs are planned anew, and answers are kept."),
            file=str(file), reason=said_by(error),
        ) from error  # fmt: skip
    stored["keys"] = _keys(stored["pairs"])
    stored["ids"] = set().union(*stored["keys"])
    _cached[file] = (stamp, stored)
    return stored


def _keys(pairs: Sequence[Sequence[str]]) -> dict[Pair, frozenset[str]]:
    return {(left, right): frozenset((left, right)) for left, right in pairs}


def _ids(stored: dict[str, Any]) -> set[str]:
    ids: set[str] = stored.get("ids", set())
    return ids


def _write(file: Path, stored: dict[str, Any]) -> None:
    try:
        artifacts.write_json(file, {"rule": stored["rule"], "pairs": stored["pairs"]})
    except OSError as error:
        raise ProjectError(not_written(N_("{path} cannot be written ({reason})."), file, error)) from error
