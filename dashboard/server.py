"""Streamlit's server for this dashboard: `python -m dashboard.server [options of streamlit run]`.

What the first page imports is imported while the browser still fetches Streamlit's own files, not once it asks.
"""

import importlib
import sys
import threading
from pathlib import Path

APP = Path(__file__).with_name("app.py")
FIRST_PAGE = ("pandas", "dashboard.identity", "dashboard.pages", "dashboard.views.label")


def main() -> None:
    from streamlit.web import cli

    threading.Thread(target=_load, name="first page", daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main()


def _load() -> None:
    for name in FIRST_PAGE:
        importlib.import_module(name)


if __name__ == "__main__":
    main()
