"""In which order an expert gets a project's recordings: the same every time, another for each expert."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pipeline import jsonl
from pipeline.labels.index import Index
from pipeline.projects.project import Project
from pipeline.settings import Settings


def kept_order(settings: Settings, index: Index, project: Project, evaluator: str, secret: str) -> tuple[str, ...]:
    """All recordings of the project as `order_of` has them; worked out anew only where something has changed."""
    stamp = 0.0
    if project.order != "random":
        files = list((settings.predictions_root / project.set).glob("*.jsonl"))
        stamp = max((file.stat().st_mtime for file in files), default=0.0)
    return _kept_order(
        settings, project.set, project.part, project.order, project.random_share, project.seed, evaluator, secret,
        index.ids_digest(project.set), stamp,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _kept_order(
    settings: Settings, set_name: str, part: str, order: str, share: float, seed: int, evaluator: str, secret: str,
    digest: str, stamp: float,
) -> tuple[str, ...]:  # fmt: skip
    sql = "SELECT id FROM recordings WHERE set_name = ? AND (? = '' OR part = ?) ORDER BY id"
    ids = [row["id"] for row in Index(settings).rows(sql, [set_name, part, part])]
    project = Project("order", set_name, order=order, random_share=share, seed=seed)
    return tuple(order_of(settings, project, evaluator, ids, secret))


def order_of(settings: Settings, project: Project, evaluator: str, ids: Sequence[str], secret: str) -> list[str]:
    """All of `ids`, drawn with the project's `secret`: what comes out of an order that is known would be no work. By
    disagreement or uncertainty, a share stays random; recordings without predictions come last among those that are
    ranked."""
    draw = f"{project.seed}|{secret}" if secret else str(project.seed)
    shuffled = sorted(ids, key=lambda key: _place(draw, evaluator, key))
    if project.order == "random":
        return shuffled
    urgency = _urgency(settings, project)
    ranked = sorted(shuffled, key=lambda key: -urgency.get(key, -1.0))  # stable: ties stay random
    seed = int.from_bytes(hashlib.sha256(f"{draw}|{evaluator}".encode()).digest()[:8], "big")
    return mixed(shuffled, ranked, project.random_share, seed)


def mixed(shuffled: Sequence[str], ranked: Sequence[str], random_share: float, seed: int) -> list[str]:
    """Both are the same items: the next of `shuffled` with probability `random_share`, else the next of `ranked`."""
    draw = np.random.default_rng(seed).random(len(shuffled)) < random_share
    taken: set[str] = set()
    ordered: list[str] = []
    sources = {True: iter(shuffled), False: iter(ranked)}
    for at_random in draw:
        for key in sources[bool(at_random)]:
            if key not in taken:
                taken.add(key)
                ordered.append(key)
                break
    return ordered + [key for key in shuffled if key not in taken]


def _place(draw: str, evaluator: str, key: str) -> bytes:
    return hashlib.sha256(f"{draw}|{evaluator}|{key}".encode()).digest()[:8]


def _urgency(settings: Settings, project: Project) -> dict[str, float]:
    """By recording: how far the scorers' predictions lie apart, or how unsure the least sure of them is."""
    scores: dict[str, list[float]] = {}
    unsure: dict[str, float] = {}
    for file in sorted((settings.predictions_root / project.set).glob("*.jsonl")):
        for row in filter(_is_object, jsonl.read(file, damaged=True)):
            key, overall, confidence = str(row.get("recording_id")), row.get("overall"), row.get("confidence")
            if isinstance(overall, int | float):
                scores.setdefault(key, []).append(float(overall))
            if isinstance(confidence, int | float):
                unsure[key] = max(unsure.get(key, 0.0), 1.0 - float(confidence))
    if project.order == "uncertainty":
        return unsure
    return {key: max(values) - min(values) for key, values in scores.items() if len(values) > 1}


def _is_object(row: object) -> bool:
    return isinstance(row, dict)
