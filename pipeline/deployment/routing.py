"""Which model answers whom: the one in use, one of two that are compared, and one more in the shadow.

`<data root>/routing.json` holds the comparisons, at most one going on a place, and one shadow a place. A learner stays
on the side that the hash of comparison and name gives; without a name, chance decides each time.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.deployment.model_registry import PLACES, folder_of, get_entry, place_of
from pipeline.errors import ModelError, PronlabError
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Target
from pipeline.scoring.selection import scorer_for
from pipeline.settings import Settings
from pipeline.times import now_iso, utc_time

IN_USE, RULE = "in use", "heuristic"


class RoutingError(PronlabError):
    """A comparison or shadow that cannot be set up."""


@dataclass(frozen=True)
class Comparison:
    """`a` and `b` are `in use`, `heuristic`, or ids of registered models; `share_b` (0-1) of the learners get b."""

    id: str
    place: str
    a: str
    b: str
    share_b: float
    began_at: str
    by: str
    ended_at: str = ""


@dataclass(frozen=True)
class Route:
    """Who answers: the scorer by name (None: that of the folder, or the one in use), a model folder; `arm` is a, b or
    "" outside a comparison."""

    name: str | None
    folder: Path | None
    arm: str = ""
    comparison: str = ""


def route(settings: Settings, target: Target, learner: str = "") -> Route:
    """A side whose model is gone is answered by the one in use, outside the comparison."""
    found = comparison_at(settings, place_of(target))
    if found is not None:
        arm = side(found, learner)
        try:
            name, folder = _resolved(settings, found.b if arm == "b" else found.a)
        except ModelError:
            return Route(scorer_for(target), None)
        return Route(name, folder, arm, found.id)
    return Route(scorer_for(target), None)


def shadow(settings: Settings, target: Target) -> Path | None:
    """The folder of the model that answers too, unheard; None where there is none."""
    place = place_of(target)
    model_id = _read(settings)["shadows"].get(place) if place else None
    return folder_of(settings, model_id) if model_id else None


def side(found: Comparison, learner: str) -> str:
    """a or b: the same for a learner as long as the comparison lasts."""
    if not learner:
        return "b" if secrets.randbelow(1_000_000) < found.share_b * 1_000_000 else "a"
    digest = hashlib.sha256(f"{found.id}/{learner}".encode()).digest()
    return "b" if int.from_bytes(digest[:8]) / 2**64 < found.share_b else "a"


def comparisons(settings: Settings) -> list[Comparison]:
    """The newest first."""
    return [Comparison(**raw) for raw in reversed(_read(settings)["comparisons"])]


def comparison_at(settings: Settings, place: str | None) -> Comparison | None:
    """The one that is going on at a place."""
    return next((one for one in comparisons(settings) if one.place == place and not one.ended_at), None)


def begin(settings: Settings, place: str, a: str, b: str, share_b: float, by: Identity | str) -> Comparison:
    """Raises RoutingError for two equal sides, a share outside 0-1, or a comparison that goes on there already;
    ModelError for an unknown model, AccessError for who may not choose models."""
    who = permit(settings, by, Action.DEPLOY)
    name = who.name if by else ""
    if place not in PLACES:
        raise RoutingError(f"There is no place {place!r}; there are {', '.join(PLACES)}.")
    if a == b:
        raise RoutingError("Both sides are the same; compare two different scorers.")
    if not 0.0 < share_b < 1.0:
        raise RoutingError(f"The share of b lies between 0 and 1, got {share_b:g}.")
    for one in (a, b):
        _resolved(settings, one)
        if one not in (IN_USE, RULE) and get_entry(settings, one).place != place:
            raise RoutingError(f"{one} does not score what {place} does.")
    with _changing(settings) as content:
        if any(one["place"] == place and not one["ended_at"] for one in content["comparisons"]):
            raise RoutingError(f"A comparison goes on at {place}; end it first.")
        found = Comparison(uuid.uuid4().hex[:8], place, a, b, share_b, now_iso(), name)
        content["comparisons"].append(asdict(found))
    return found


def end(settings: Settings, comparison: str, by: Identity | None = None) -> None:
    """Everybody is answered by the one in use again. Raises RoutingError where it is not going on, AccessError for who
    may not choose models."""
    permit(settings, by, Action.DEPLOY)
    with _changing(settings) as content:
        going = [one for one in content["comparisons"] if one["id"] == comparison and not one["ended_at"]]
        if not going:
            raise RoutingError(f"No comparison {comparison!r} goes on.")
        going[0]["ended_at"] = now_iso()


def set_shadow(settings: Settings, place: str, model_id: str | None, by: Identity | None = None) -> None:
    """Raises ModelError for an unknown model, RoutingError for one of another place, AccessError for who may not choose
    models."""
    permit(settings, by, Action.DEPLOY)
    if model_id is not None and get_entry(settings, model_id).place != place:
        raise RoutingError(f"{model_id} does not score what {place} does.")
    with _changing(settings) as content:
        if model_id is None:
            content["shadows"].pop(place, None)
        else:
            content["shadows"][place] = model_id


def shadows(settings: Settings) -> dict[str, str]:
    return dict(_read(settings)["shadows"])


def _resolved(settings: Settings, one: str) -> tuple[str | None, Path | None]:
    if one == IN_USE:
        return None, None
    if one == RULE:
        return RULE, None
    folder = folder_of(settings, one)
    if folder is None:
        raise ModelError(f"No model {one!r} is registered with its files. `pronlab models add RUN` registers one.")
    return None, folder


def _read(settings: Settings, *, strict: bool = False) -> dict[str, Any]:
    """A file that cannot be read routes nobody: everybody gets the model in use. To be written over it must be whole:
    `strict` raises RoutingError."""
    try:
        content = artifacts.read_json(_file(settings))
        for one in content["comparisons"]:
            found = Comparison(**one)
            utc_time(found.began_at)
            if found.ended_at:
                utc_time(found.ended_at)
        return {"comparisons": list(content["comparisons"]), "shadows": dict(content["shadows"])}
    except FileNotFoundError:
        return {"comparisons": [], "shadows": {}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        if strict:
            raise RoutingError(
                f"{_file(settings)} is damaged ({error}); nothing was changed. Mend it, or move it away to begin anew."
            ) from error
        return {"comparisons": [], "shadows": {}}


@contextmanager
def _changing(settings: Settings) -> Iterator[dict[str, Any]]:
    with locked(settings, _file(settings), RoutingError):
        content = _read(settings, strict=True)
        yield content
        artifacts.write_json(_file(settings), content)


def _file(settings: Settings) -> Path:
    return settings.data_root / "routing.json"
