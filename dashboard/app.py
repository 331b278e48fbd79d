"""The dashboard's frame: page settings and navigation. Each page is one file in `views/` with a `render()`."""

from pathlib import Path

import streamlit as st

from dashboard import identity

HERE = Path(__file__).parent
VIEWS = HERE / "views"

# file, title, icon; the file's name is the page's path in the URL, the first is the start page
PAGES = (
    ("label", "Label", ":material/rate_review:"),
    ("practice", "Practice", ":material/mic:"),
    ("agreement", "Agreement", ":material/handshake:"),
    ("review", "Review", ":material/gavel:"),
    ("projects", "Projects", ":material/assignment:"),
    ("compare", "Compare", ":material/compare_arrows:"),
    ("wakeword", "Wake word", ":material/hearing:"),
    ("results", "Results", ":material/leaderboard:"),
    ("train", "Train", ":material/model_training:"),
    ("runs", "Runs", ":material/stacked_line_chart:"),
    ("monitor", "Monitor", ":material/monitoring:"),
    ("tables", "Tables", ":material/table_chart:"),
    ("data", "Data", ":material/database:"),
)


def main() -> None:
    # A material icon or emoji as the page's icon would be fetched from another host; this file is not.
    st.set_page_config(page_title="Pronlab", page_icon=str(HERE / "favicon.svg"), layout="wide")
    st.logo(HERE / "logo.svg", size="large")
    identity.sidebar()
    st.navigation(
        [
            st.Page(VIEWS / f"{name}.py", title=title, icon=icon, url_path=name, default=number == 0)
            for number, (name, title, icon) in enumerate(PAGES)
        ]
    ).run()


main()
