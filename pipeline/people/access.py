"""Roles, and what they allow: the one table of actions and roles. It is asked by the services that read and write, by
every page and by every command, never by hiding a button alone. The site's page on roles is made from it.

An installation is open while it has no list of people and no sign-in: whoever is there has every role. Otherwise nobody
(not signed in, no name chosen, not on the list, no longer active) may do nothing at all.
"""

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

    PRACTISE = "practise"  # and have recordings or prompts of their own scored; attempts are their learner's alone
    SEE_SETS = "see which recordings there are"
    LISTEN = "listen to recordings"
    SEE_PROJECTS = "see how far projects are"
    RATE = "rate recordings"
    COLLECT_PROMPTS = "collect and rate prompts"
    SEE_RATINGS = "see what others rated"
    SEE_NAMES = "see who rated"
    EXPORT = "export labels"
    SEE_RESULTS = "see how well scorers do"
    SCORE_SETS = "score whole sets"
    REVIEW = "decide between ratings"
    MANAGE_LESSONS = "change lessons"
    MANAGE_REFERENCES = "choose reference recordings"
    MANAGE_PROJECTS = "set up projects"
    IMPORT_DATA = "import or remove recordings and ratings"
    TRAIN = "train and deploy models"
    DEPLOY = "choose which models score"
    MONITOR = "see what the scorers answered"
    MANAGE_PEOPLE = "change who works here"
    MANAGE_KEYS = "manage API keys"


_STAFF = frozenset(Role) - {Role.LEARNER}
_REVIEWERS = frozenset({Role.REVIEWER, Role.ADMIN})
_RESEARCHERS = frozenset({Role.RESEARCHER, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

ALLOWED: dict[Action, frozenset[Role]] = {
    Action.PRACTISE: frozenset(Role),
    Action.SEE_SETS: _STAFF,
    Action.LISTEN: _STAFF,
    Action.SEE_PROJECTS: _STAFF,
    Action.RATE: frozenset({Role.EXPERT}),
    Action.COLLECT_PROMPTS: _STAFF,
    Action.SEE_RATINGS: _REVIEWERS | _RESEARCHERS,
    Action.SEE_NAMES: _REVIEWERS | _RESEARCHERS,
    Action.EXPORT: _REVIEWERS | _RESEARCHERS,
    Action.SEE_RESULTS: _REVIEWERS | _RESEARCHERS,
    Action.SCORE_SETS: _REVIEWERS | _RESEARCHERS,
    Action.REVIEW: _REVIEWERS,
    Action.MANAGE_LESSONS: _REVIEWERS,
    Action.MANAGE_REFERENCES: _REVIEWERS,
    Action.MANAGE_PROJECTS: _REVIEWERS,
    Action.IMPORT_DATA: _REVIEWERS,
    Action.TRAIN: _RESEARCHERS,
    Action.DEPLOY: _RESEARCHERS,
    Action.MONITOR: _RESEARCHERS,
    Action.MANAGE_PEOPLE: _ADMINS,
    Action.MANAGE_KEYS: _ADMINS,
}


@dataclass(frozen=True)
class Identity:
    """Who asks."""

    name: str
    roles: frozenset[Role]

    def may(self, action: Action) -> bool:
        return bool(self.roles & ALLOWED[action])

    def require(self, action: Action, *others: Action) -> None:
        """Raises AccessError where none of the roles allows the action, nor one of the `others`."""
        if not any(self.may(one) for one in (action, *others)):
            *others_allowed, last = sorted(ALLOWED[action])
            needed = f"{', '.join(others_allowed)} or {last}" if others_allowed else last
            own = ", ".join(sorted(self.roles)) or "no role"
            raise AccessError(
                f"{self.name} ({own}) may not {action}; that takes the role {needed}, which an admin can give."
            )


# Whoever is there on an open installation without having given a name.
GUEST = Identity("guest", frozenset(Role))
# The installation itself, for what its programs do unasked (putting the demo there on a first start).
SYSTEM = Identity("pronlab", frozenset(Role))
