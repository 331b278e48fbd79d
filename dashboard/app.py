"""The dashboard's frame: page settings, navigation, and who gets in where."""

import importlib
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard import i18n, identity
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.navigation import PAGE_FILES, PAGES, Page
from pipeline.people.access import Identity
from pipeline.people.exposure import VARIABLE, is_exposed, was_allowed
from pipeline.settings import Settings

HERE = Path(__file__).parent


@errors_in_words()
def main() -> None:
    # A material icon or emoji as the page's icon would be fetched from another host; this file is not.
    st.set_page_config(page_title="Pronlab", page_icon=str(HERE / "favicon.svg"), layout="wide")
    st.logo(HERE / "logo.svg", size="large")
    if not is_reachable_as_meant():
        return
    identity.sidebar()
    i18n.selector()
    me = identity.present()
    pages = {_drawn(page, me): page for page in PAGES}
    first = next((page for page in PAGES if me is not None and page.opens_to(me)), PAGES[0])
    start = st.Page(_drawing(first), title=first.title, url_path="start", default=True, visibility="hidden")
    chosen = st.navigation([start, *pages], expanded=True)
    if me is None:
        st.title("Pronlab")
        identity.ask()
        return
    page = pages.get(chosen, first)
    if page.opens_to(me):
        chosen.run()
        return
    st.title(page.title)
    if first.opens_to(me):
        st.page_link(start, label=f"Go to {first.title}", icon=":material/arrow_forward:")
    me.require(*page.needs)


def _drawing(page: Page) -> Callable[[], None]:
    """What the address without a page shows: the first page that opens to whoever is there, in place, since going to
    another address would lose what this one says."""

    def start() -> None:
        importlib.import_module(f"dashboard.views.{page.name}").render()

    return start


def _drawn(page: Page, me: Identity | None) -> StreamlitPage:
    """In the navigation where it opens to whoever is there; its address is known in any case, and refuses."""
    seen = me is not None and page.opens_to(me)
    return st.Page(
        PAGE_FILES / f"{page.name}.py", title=page.title, icon=page.icon, url_path=page.name,
        visibility="visible" if seen else "hidden",
    )  # fmt: skip


def is_reachable_as_meant() -> bool:
    """Where others on the network come in as anybody: a banner if that was meant, else nothing is shown at all."""
    address = st.get_option("server.address")
    if not is_exposed(Settings.from_env(), address, signs_in=identity.signs_in()):
        return True
    where = plain(str(address)) if address else "every address of this machine"
    if was_allowed():
        st.warning(
            f"**This installation is open to the network** ({where}): whoever can reach it may see and change "
            "everything. Add people on the Projects page, or set up a sign-in.",
            icon=":material/lock_open:",
        )
        return True
    st.error(
        f"This server listens on {where}, and there is neither a list of people nor a sign-in: everybody who can reach "
        "it would have every role. Start it with `pronlab dashboard`, which listens on this machine only; or set "
        f"`{VARIABLE}=1` if it is meant to be open.",
        icon=":material/lock:",
    )
    return False


main()
