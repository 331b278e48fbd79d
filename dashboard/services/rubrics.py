"""What the pages ask of rubrics: which there are, and adding one."""

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.corpus import set_rubric
from pipeline.corpus.sets import get_set
from pipeline.people.access import Action
from pipeline.projects.project import rubric_of_new
from pipeline.records import Problem
from pipeline.rubrics import RUBRICS, Rubric
from pipeline.rubrics.files import dump, parse
from pipeline.rubrics.library import RubricLibrary


@asks(Action.SEE_PROJECTS)
def all_rubrics() -> list[Rubric]:
    """The shipped ones first."""
    return RubricLibrary(shared.settings()).all()


@asks(Action.SEE_PROJECTS)
def added() -> list[Rubric]:
    """The installation's own."""
    return all_rubrics()[len(RUBRICS) :]


@asks(Action.SEE_PROJECTS)
def problems() -> list[Problem]:
    """What is wrong with files of rubrics."""
    return RubricLibrary(shared.settings()).problems()


@asks(Action.SEE_PROJECTS)
def rating(set_name: str, name: str) -> Rubric:
    """With which the recordings of a set are rated: the rubric of that name, else the usual one."""
    settings = shared.settings()
    return RubricLibrary(settings).rating(get_set(settings, set_name).rubric, name)


@asks(Action.SEE_PROJECTS)
def of_new_project(set_name: str, asked: str) -> str:
    """The name that a new project of a set has for its rubric: that of the one asked for, else of the set's."""
    return rubric_of_new(shared.settings(), set_name, asked)


@asks(Action.MANAGE_PROJECTS)
def rate_with(set_name: str, name: str) -> None:
    """Have a set rated with the rubric of that name from now on, with the usual one where there is no name."""
    set_rubric.rate_with(shared.settings(), set_name, name, identity.allowed(Action.MANAGE_PROJECTS))


@asks(Action.SEE_PROJECTS)
def as_file(rubric: Rubric) -> bytes:
    return dump(rubric)


@asks(Action.MANAGE_PROJECTS)
def checked(content: bytes) -> Rubric:
    """Raises RubricError with everything that is wrong; nothing is kept."""
    return parse(content)


@asks(Action.MANAGE_PROJECTS)
def add(content: bytes) -> Rubric:
    """Keep it; of the same name, it becomes the new version."""
    return RubricLibrary(shared.settings()).add(content, identity.allowed(Action.MANAGE_PROJECTS))
