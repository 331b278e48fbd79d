"""The pages, grouped by who needs them and in the order people use them. A page is one file in `views/` with a
`render()`.

Not in a folder called `pages`, which Streamlit serves by itself, past `app.py` and all that it asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.i18n import pgettext
from pipeline.people.access import Action, Identity

PAGE_FILES = Path(__file__).parent / "views"


@dataclass(frozen=True)
class Page:
    """`name` is its file's name and its path in the URL; it opens for who may do one of `needs`."""

    name: str
    make_title: Callable[[], str]
    icon: str
    needs: tuple[Action, ...]

    @property
    def title(self) -> str:
        return self.make_title()

    def opens_to(self, me: Identity) -> bool:
        return any(me.may(action) for action in self.needs)


@dataclass(frozen=True)
class Section:
    """A group of pages; `name` tells groups apart in every language."""

    name: str
    make_title: Callable[[], str]
    make_purpose: Callable[[], str]
    pages: tuple[Page, ...]

    @property
    def title(self) -> str:
        return self.make_title()

    @property
    def purpose(self) -> str:
        return self.make_purpose()


# Titles are made where they are shown, in the language of whoever reads them.
SECTIONS = (
    Section(
        "label",
        lambda: pgettext("section", "Label"),
        lambda: pgettext("section", "Rate recordings, review the ratings and see how far raters agree."),
        (
            Page("label", lambda: pgettext("page", "Label"), ":material/rate_review:", (Action.RATE,)),
            Page(
                "recordings",
                lambda: pgettext("page", "Recordings"),
                ":material/format_list_bulleted:",
                (Action.RATE, Action.SEE_RATINGS),
            ),
            Page("review", lambda: pgettext("page", "Review"), ":material/gavel:", (Action.SEE_RATINGS,)),
            Page("projects", lambda: pgettext("page", "Projects"), ":material/assignment:", (Action.SEE_PROJECTS,)),
            Page("agreement", lambda: pgettext("page", "Agreement"), ":material/handshake:", (Action.SEE_RATINGS,)),
        ),
    ),
    Section(
        "practise",
        lambda: pgettext("section", "Practise"),
        lambda: pgettext("section", "Listen, record, and see how close you are and what to work on."),
        (Page("practice", lambda: pgettext("page", "Practise"), ":material/mic:", (Action.PRACTISE,)),),
    ),
    Section(
        "research",
        lambda: pgettext("section", "Research"),
        lambda: pgettext("section", "Train scorers, follow their runs and compare them with human raters."),
        (
            Page("results", lambda: pgettext("page", "Results"), ":material/leaderboard:", (Action.SEE_RESULTS,)),
            Page("compare", lambda: pgettext("page", "Compare"), ":material/compare_arrows:", (Action.SEE_RATINGS,)),
            Page("train", lambda: pgettext("page", "Train"), ":material/model_training:", (Action.TRAIN,)),
            Page("runs", lambda: pgettext("page", "Runs"), ":material/stacked_line_chart:", (Action.TRAIN,)),
            Page("monitor", lambda: pgettext("page", "Monitor"), ":material/monitoring:", (Action.MONITOR,)),
        ),
    ),
    Section(
        "build",
        lambda: pgettext("section", "Build"),
        lambda: pgettext("section", "Make a wake-word detector, or a model for a table of your own."),
        (
            Page("wakeword", lambda: pgettext("page", "Wake word"), ":material/hearing:", (Action.TRAIN,)),
            Page("tables", lambda: pgettext("page", "Tables"), ":material/table_chart:", (Action.COLLECT_PROMPTS,)),
        ),
    ),
    Section(
        "data",
        lambda: pgettext("section", "Data"),
        lambda: pgettext("section", "Import recordings, find problems and export labels."),
        (Page("data", lambda: pgettext("page", "Data"), ":material/database:", (Action.SEE_SETS,)),),
    ),
)
PAGES = tuple(page for section in SECTIONS for page in section.pages)


def first_page(me: Identity) -> Page | None:
    """The first page that opens to `me`; None where none does."""
    return next((page for page in PAGES if page.opens_to(me)), None)
