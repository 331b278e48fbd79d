"""The pages, and what each takes; the first is the start page. A page is one file in `views/` with a `render()`.

Not in a folder called `pages`, which Streamlit serves by itself, past `app.py` and all that it asks.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.people.access import Action, Identity

PAGE_FILES = Path(__file__).parent / "views"


@dataclass(frozen=True)
class Page:
    """`name` is its file's name and its path in the URL; it opens for who may do one of `needs`."""

    name: str
    title: str
    icon: str
    needs: tuple[Action, ...]

    def opens_to(self, me: Identity) -> bool:
        return any(me.may(action) for action in self.needs)


PAGES = (
    Page("label", "Label", ":material/rate_review:", (Action.RATE,)),
    Page("practice", "Practice", ":material/mic:", (Action.PRACTISE,)),
    Page("agreement", "Agreement", ":material/handshake:", (Action.SEE_RATINGS,)),
    Page("review", "Review", ":material/gavel:", (Action.SEE_RATINGS,)),
    Page("projects", "Projects", ":material/assignment:", (Action.SEE_PROJECTS,)),
    Page("compare", "Compare", ":material/compare_arrows:", (Action.SEE_RATINGS,)),
    Page("wakeword", "Wake word", ":material/hearing:", (Action.TRAIN,)),
    Page("results", "Results", ":material/leaderboard:", (Action.SEE_RESULTS,)),
    Page("train", "Train", ":material/model_training:", (Action.TRAIN,)),
    Page("runs", "Runs", ":material/stacked_line_chart:", (Action.TRAIN,)),
    Page("monitor", "Monitor", ":material/monitoring:", (Action.MONITOR,)),
    Page("tables", "Tables", ":material/table_chart:", (Action.COLLECT_PROMPTS,)),
    Page("data", "Data", ":material/database:", (Action.SEE_SETS,)),
)
