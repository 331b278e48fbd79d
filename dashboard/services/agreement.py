"""What the Agreement page asks for: everybody's ratings of a set as tables."""

from dashboard.identity import asks
from dashboard.services import shared
from pipeline.corpus.sets import get_set
from pipeline.labels.ratings_table import RatingsTable, of_frame, rubrics_of
from pipeline.people.access import Action
from pipeline.rubrics import Rubric
from pipeline.rubrics.library import RubricLibrary


@asks(Action.SEE_RATINGS)
def rubrics_in(set_name: str) -> list[Rubric]:
    """With which the recordings of a set were rated, the most used first; never empty."""
    settings = shared.settings()
    labels = shared.open_index().labels(set_name)
    return rubrics_of(labels, RubricLibrary(settings), get_set(settings, set_name))


@asks(Action.SEE_RATINGS)
def ratings_of(set_name: str, rubric: Rubric, part: str = "") -> RatingsTable:
    """Current ratings in a set with a rubric: people's, and a corpus's own experts'."""
    labels = shared.open_index().labels(set_name)
    labels = labels[labels["source"].isin(["human", "corpus"])]
    if part:
        labels = labels[labels["part"] == part]
    return of_frame(labels, rubric, RubricLibrary(shared.settings()))


@asks(Action.SEE_RATINGS)
def parts_of(set_name: str) -> list[str]:
    """The corpus's own partitions of a set, by name."""
    return shared.open_index().parts(set_name)
