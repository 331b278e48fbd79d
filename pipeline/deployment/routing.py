"""Who answers which learner: the deployed model, or one of two that are compared; and a model in the shadow.

`<data root>/routing.json` holds the comparisons, at most one running per place, and at most one shadow per place. The
hash of comparison and name keeps a learner on one side; without a name, chance decides each time.
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
from pipeline.deployment.model_registry import (
    PLACES,
    PROMPTS,
    deployed_folder,
    folder_of,
    get_entry,
    model_id_of,
    place_of,
)
from pipeline.errors import ModelError, PronlabError, said_by
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import Target
from pipeline.scoring.selection import HEURISTIC, Selection, select, settle
from pipeline.settings import Settings
from pipeline.times import now_iso, utc_time

IN_USE, RULE = "deployed", HEURISTIC
FORMERLY_IN_USE = "in use"  # in files of earlier versions


class RoutingError(PronlabError):
    """A comparison or a shadow cannot be set up."""


@dataclass(frozen=True)
class Comparison:
    """`a` and `b` are `deployed`, `heuristic`, or ids of registered models; `share_b` (0-1) of the learners get b."""

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
    """Who answers, and on which side of a comparison: `arm` is a or b, "" outside one."""

    selection: Selection
    arm: str = ""
    comparison: str = ""


@dataclass(frozen=True)
class PromptRoute:
    """The folder of the model that answers a prompt, None for the rules; `arm` and `comparison` as in Route."""

    folder: Path | None
    arm: str = ""
    comparison: str = ""


def route(settings: Settings, target: Target, learner: str = "", *, scorer: str | None = None) -> Route:
    """Who answers a learner: their side of the comparison that runs for such targets, else whoever `select` chooses.

    A side whose model is gone is answered by the deployed model, outside the comparison, and so is whoever asks for a
    `scorer` by name.
    """
    settled, _ = settle(target)
    running = None if scorer else comparison_at(settings, place_of(settled))
    if running is not None:
        arm = side(running, learner)
        try:
            name, folder = _resolved(settings, running.b if arm == "b" else running.a)
            return Route(select(settings, target, name, folder), arm, running.id)
        except ModelError:
            pass
    return Route(select(settings, target, scorer))


def route_prompt(settings: Settings, learner: str = "") -> PromptRoute:
    """Who answers a learner's prompts: their side of the comparison that runs for prompts, else the deployed model,
    also where the side's model is gone."""
    running = comparison_at(settings, PROMPTS)
    if running is not None:
        arm = side(running, learner)
        try:
            name, folder = _resolved(settings, running.b if arm == "b" else running.a)
            deployed = deployed_folder(settings, PROMPTS) if name is None and folder is None else folder
            return PromptRoute(deployed, arm, running.id)
        except ModelError:
            pass
    return PromptRoute(deployed_folder(settings, PROMPTS))


def shadow(settings: Settings, target: Target) -> Path | None:
    """The folder of the model that scores in the shadow; None if there is none."""
    return shadow_at(settings, place_of(settle(target)[0]))


def shadow_at(settings: Settings, place: str | None) -> Path | None:
    """As `shadow`, by the place."""
    model_id = _read(settings)["shadows"].get(place) if place else None
    return folder_of(settings, model_id) if model_id else None


def side(comparison: Comparison, learner: str) -> str:
    """The side of a learner, a or b: the same as long as the comparison runs."""
    if not learner:
        return "b" if secrets.randbelow(1_000_000) < comparison.share_b * 1_000_000 else "a"
    digest = hashlib.sha256(f"{comparison.id}/{learner}".encode()).digest()
    return "b" if int.from_bytes(digest[:8]) / 2**64 < comparison.share_b else "a"


def comparisons(settings: Settings) -> list[Comparison]:
    """All comparisons, the newest first."""
    return [_comparison(raw) for raw in reversed(_read(settings)["comparisons"])]


def comparison_at(settings: Settings, place: str | None) -> Comparison | None:
    """The comparison that runs at a place; None if there is none."""
    running = (comparison for comparison in comparisons(settings) if not comparison.ended_at)
    return next((comparison for comparison in running if comparison.place == place), None)


def begin(settings: Settings, place: str, a: str, b: str, share_b: float, by: Identity | str) -> Comparison:
    """Start a comparison.

    Raises RoutingError for equal sides, the id of the deployed model, a share outside 0-1 or a comparison that already
    runs there, ModelError for an unknown model, AccessError if `by` may not choose models.
    """
    who = permit(settings, by, Action.DEPLOY)
    name = who.name if by else ""
    a, b = _renamed(a), _renamed(b)
    if place not in PLACES:
        raise RoutingError(
            N_("There is no place {place!r}. The places are {places}."), place=place, places=", ".join(PLACES)
        )
    if a == b:
        raise RoutingError(N_("Both sides are the same. Choose two different scorers."))
    if not 0.0 < share_b < 1.0:
        raise RoutingError(N_("The share of b must be between 0 and 1, got {share_b:g}."), share_b=share_b)
    deployed = deployed_folder(settings, place)
    for model in (a, b):
        if deployed is not None and model == model_id_of(deployed):
            raise RoutingError(N_("{model} is the deployed model. Write `deployed` for it."), model=model)
        _resolved(settings, model)
        if model not in (IN_USE, RULE) and get_entry(settings, model).place != place:
            raise RoutingError(
                N_("{model} cannot be used for {place}: it was trained for another place."), model=model, place=place
            )
    with _changing(settings) as content:
        if any(known["place"] == place and not known["ended_at"] for known in content["comparisons"]):
            raise RoutingError(N_("A comparison is already running at {place}. End it first."), place=place)
        comparison = Comparison(uuid.uuid4().hex[:8], place, a, b, share_b, now_iso(), name)
        content["comparisons"].append(asdict(comparison))
    return comparison


def end(settings: Settings, comparison: str, by: Identity | None = None) -> None:
    """End a comparison: all learners get the deployed model again. Raises RoutingError if it is not running,
    AccessError if `by` may not choose models."""
    permit(settings, by, Action.DEPLOY)
    with _changing(settings) as content:
        going = [
            running for running in content["comparisons"] if running["id"] == comparison and not running["ended_at"]
        ]
        if not going:
            raise RoutingError(N_("No comparison {comparison!r} is running."), comparison=comparison)
        going[0]["ended_at"] = now_iso()


def set_shadow(settings: Settings, place: str, model_id: str | None, by: Identity | None = None) -> None:
    """Choose the model that scores in the shadow of a place; None for none. Raises ModelError for an unknown model,
    RoutingError for a model of another place, AccessError if `by` may not choose models."""
    permit(settings, by, Action.DEPLOY)
    if model_id is not None and get_entry(settings, model_id).place != place:
        raise RoutingError(
            N_("{model} cannot be used for {place}: it was trained for another place."), model=model_id, place=place
        )
    with _changing(settings) as content:
        if model_id is None:
            content["shadows"].pop(place, None)
        else:
            content["shadows"][place] = model_id


def shadows(settings: Settings) -> dict[str, str]:
    return dict(_read(settings)["shadows"])


def _comparison(raw: dict[str, Any]) -> Comparison:
    return Comparison(**{**raw, "a": _renamed(raw["a"]), "b": _renamed(raw["b"])})


def _renamed(scorer: str) -> str:
    """What earlier versions called `in use` is called `deployed`."""
    return IN_USE if scorer == FORMERLY_IN_USE else scorer


def _resolved(settings: Settings, model: str) -> tuple[str | None, Path | None]:
    if model == IN_USE:
        return None, None
    if model == RULE:
        return RULE, None
    folder = folder_of(settings, model)
    if folder is None:
        raise ModelError(
            N_("No model {model!r} is registered, or its files are gone. `pronlab models add RUN` registers a model."),
            model=model,
        )
    return None, folder


def _read(settings: Settings, *, strict: bool = False) -> dict[str, Any]:
    """The content of the file. If it cannot be read, there are no comparisons and no shadows; before it is written,
    `strict` raises RoutingError instead."""
    try:
        content = artifacts.read_json(_file(settings))
        for raw in content["comparisons"]:
            comparison = _comparison(raw)
            utc_time(comparison.began_at)
            if comparison.ended_at:
                utc_time(comparison.ended_at)
        return {"comparisons": list(content["comparisons"]), "shadows": dict(content["shadows"])}
    except FileNotFoundError:
        return {"comparisons": [], "shadows": {}}
    except (OSError, ValueError, KeyError, TypeError) as error:
        if strict:
            raise RoutingError(
                N_(
                    "{file} is damaged ({reason}), so nothing was changed. Repair it, or move it away to start with "
                    "an empty one."
                ),
                file=str(_file(settings)),
                reason=said_by(error),
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
