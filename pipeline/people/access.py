"""Roles, and what they allow. Asked by the services that read and write, never by a page that hides a button."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import AccessError


class Role(StrEnum):
    LEARNER = "learner"
    EXPERT = "expert"
    REVIEWER = "reviewer"
    RESEARCHER = "researcher"
    ADMIN = "admin"


class Action(StrEnum):
    """In words, as they stand in "NAME may not ..."."""

    RATE = "rate recordings"
    SEE_RATINGS = "see what others rated"
    REVIEW = "decide between ratings"
    MANAGE_PROJECTS = "set up projects"
    MANAGE_PEOPLE = "change who works here"
    TRAIN = "train and deploy models"


ALLOWED: dict[Action, frozenset[Role]] = {
    Action.RATE: frozenset({Role.EXPERT}),
    Action.SEE_RATINGS: frozenset({Role.REVIEWER, Role.RESEARCHER, Role.ADMIN}),
    Action.REVIEW: frozenset({Role.REVIEWER, Role.ADMIN}),
    Action.MANAGE_PROJECTS: frozenset({Role.REVIEWER, Role.ADMIN}),
    Action.MANAGE_PEOPLE: frozenset({Role.ADMIN}),
    Action.TRAIN: frozenset({Role.RESEARCHER, Role.ADMIN}),
}


@dataclass(frozen=True)
class Identity:
    """Who asks."""

    name: str
    roles: frozenset[Role]

    def may(self, action: Action) -> bool:
        return bool(self.roles & ALLOWED[action])

    def require(self, action: Action) -> None:
        """Raises AccessError where none of the roles allows it."""
        if not self.may(action):
            needed = " or ".join(sorted(ALLOWED[action]))
            own = ", ".join(sorted(self.roles)) or "no role"
            raise AccessError(f"{self.name} ({own}) may not {action}; that takes the role {needed}.")
