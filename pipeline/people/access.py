"""Roles, and what they allow: the one table of actions and roles. It is asked by the services that read and write, by
every page and by every command, never by hiding a button alone. The site's page on roles is made from it.

An installation is open while it has no list of people and no sign-in: whoever is there has every role. Otherwise nobody
(not signed in, no name chosen, not on the list, no longer active) may do nothing at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import AccessError
from pipeline.i18n import N_, Message, joined


class Role(StrEnum):
    LEARNER = "learner"
    EXPERT = "expert"
    REVIEWER = "reviewer"
    RESEARCHER = "researcher"
    ADMIN = "admin"


class Action(StrEnum):
    """In words, as they stand in "Only ... can ..."."""

    PRACTISE = N_("practise pronunciation")  # with recordings or prompts of one's own scored; attempts stay private
    SEE_SETS = N_("see which recordings there are")
    LISTEN = N_("listen to recordings")
    SEE_PROJECTS = N_("see the progress of projects")
    RATE = N_("rate recordings")
    COLLECT_PROMPTS = N_("collect and rate prompts")
    SEE_RATINGS = N_("see other people's ratings")
    SEE_NAMES = N_("see the names of raters")
    EXPORT = N_("export ratings")
    SEE_RESULTS = N_("see how accurate the scorers are")
    SCORE_SETS = N_("score whole sets")
    REVIEW = N_("decide between ratings")
    MANAGE_LESSONS = N_("change lessons")
    LEAD_CLASSES = N_("lead classes")  # and see the progress of those of their learners who agree
    MANAGE_REFERENCES = N_("choose reference recordings")
    MANAGE_PROJECTS = N_("set up projects")
    IMPORT_DATA = N_("import or remove recordings and ratings")
    TRAIN = N_("train models")
    DEPLOY = N_("deploy models")
    MONITOR = N_("monitor predictions")
    MANAGE_PEOPLE = N_("change the list of people")
    MANAGE_KEYS = N_("manage API keys")


ROLE_NAMES = {
    Role.LEARNER: N_("learner"), Role.EXPERT: N_("expert"), Role.REVIEWER: N_("reviewer"),
    Role.RESEARCHER: N_("researcher"), Role.ADMIN: N_("admin"),
}  # fmt: skip
ROLE_PLURALS = {
    Role.LEARNER: N_("learners"), Role.EXPERT: N_("experts"), Role.REVIEWER: N_("reviewers"),
    Role.RESEARCHER: N_("researchers"), Role.ADMIN: N_("admins"),
}  # fmt: skip

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
    Action.LEAD_CLASSES: _REVIEWERS,
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
        if any(self.may(wanted) for wanted in (action, *others)):
            return
        allowed = [Message(ROLE_PLURALS[role]) for role in Role if role in ALLOWED[action]]
        refused = Message(N_("Only {roles} can {action}."), roles=_listed(allowed), action=Message(action))
        roles = [Message(ROLE_NAMES[role]) for role in Role if role in self.roles]
        has = (
            N_("{name} has no role; an admin can give one.") if not roles
            else N_("{name} has the role {roles}; an admin can change that.") if len(roles) == 1
            else N_("{name} has the roles {roles}; an admin can change that.")
        )  # fmt: skip
        raise AccessError(joined([refused, Message(has, name=self.name, roles=_listed(roles))], ""))


def _listed(names: Sequence[Message]) -> str:
    """a; a and b; a, b and c."""
    if len(names) < 2:
        return names[0] if names else ""
    return Message(N_("{names} and {last}"), names=joined(names[:-1], ","), last=names[-1])


# Whoever is there on an open installation without having given a name.
GUEST = Identity("guest", frozenset(Role))
# The installation itself, for what its programs do unasked (putting the demo there on a first start).
SYSTEM = Identity("pronlab", frozenset(Role))
