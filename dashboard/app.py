"""The dashboard's frame: page settings, navigation, and who gets in where."""

import importlib
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard import i18n, identity
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.navigation import PAGE_FILES, PAGES, SECTIONS, Page, first_page
from pipeline.i18n import _
from pipeline.people.access import Identity
from pipeline.people.exposure import VARIABLE, is_exposed, was_allowed
from pipeline.settings import Settings

HERE = Path(__file__).parent


@errors_in_words()
def main() -> None:
    # A material icon or emoji as the page's icon would be fetched from another host; this file is not.
    st.set_page_config(page_title="Pronlab", page_icon=str(HERE / "favicon.svg"), layout="wide")  # not shown
    st.html(HERE / "style.css")
    st.logo(HERE / "logo.svg", size="large")
    if not is_reachable_as_meant():
        return
    identity.sidebar()
    i18n.selector()
    me = identity.present()
    # With a list of people the address without a page shows each their first page; without one, the home page.
    first = None if me is None or identity.people().is_open else first_page(me)
    chosen, page = _navigate(me, first)
    if me is None:
        st.title("Pronlab")  # not shown
        identity.ask()
        return
    if page is None or page.opens_to(me):
        chosen.run()
        return
    st.title(page.title)
    start = first_page(me)
    if start is not None:
        st.page_link(
            PAGE_FILES / f"{start.name}.py",
            label=_("Go to {page}").format(page=start.title),
            icon=":material/arrow_forward:",
        )
    me.require(*page.needs)


def _navigate(me: Identity | None, first: Page | None) -> tuple[StreamlitPage, Page | None]:
    """Draw the navigation; returns what the address asks for, and which page that is (None: the home page).

    The address without a page shows `first` in place, since going to another address would lose what this one says. In
    the navigation it then stands where `first` does, so that the page that is shown is marked; that takes a second
    drawing, as only the first one tells what was asked for.
    """
    entries = {page: _entry(page, visible=me is not None and page.opens_to(me)) for page in PAGES}
    start = _start(first, visible=first is None and me is not None)
    chosen = _draw(start, first, entries)
    if chosen is start and first is not None:
        entries[first] = _entry(first, visible=False)
        start = _start(first, visible=True)
        chosen = _draw(start, first, entries)
    asked = next((page for page, entry in entries.items() if entry is chosen), first)
    return chosen, asked


def _draw(start: StreamlitPage, first: Page | None, entries: dict[Page, StreamlitPage]) -> StreamlitPage:
    """`start` stands before `first`, or alone above all sections."""
    sections: dict[str, list[StreamlitPage]] = {} if first else {"": [start]}
    for section in SECTIONS:
        shown = [entry for page in section.pages for entry in ([start] if page is first else []) + [entries[page]]]
        sections[section.title] = shown
    return st.navigation(sections, expanded=True)


def _start(first: Page | None, *, visible: bool) -> StreamlitPage:
    return st.Page(
        _renderer(first.name if first else "home"), title=first.title if first else _("Home"),
        icon=first.icon if first else ":material/home:", url_path="start", default=True,
        visibility="visible" if visible else "hidden",
    )  # fmt: skip


def _entry(page: Page, *, visible: bool) -> StreamlitPage:
    """In the navigation where it opens to whoever is there; its address is known in any case, and refuses."""
    return st.Page(
        PAGE_FILES / f"{page.name}.py", title=page.title, icon=page.icon, url_path=page.name,
        visibility="visible" if visible else "hidden",
    )  # fmt: skip


def _renderer(view: str) -> Callable[[], None]:
    def start() -> None:
        importlib.import_module(f"dashboard.views.{view}").render()

    return start


def is_reachable_as_meant() -> bool:
    """Where others on the network come in as anybody: a banner if that was meant, else nothing is shown at all."""
    address = st.get_option("server.address")
    if not is_exposed(Settings.from_env(), address, signs_in=identity.signs_in()):
        return True
    where = plain(str(address)) if address else _("every address of this machine")
    if was_allowed():
        st.warning(
            _(
                "**This installation is open to the network** ({address}): anyone who can reach it can see and change "
                "everything. Add people on the Projects page, or set up sign-in."
            ).format(address=where),
            icon=":material/lock_open:",
        )
        return True
    st.error(
        _(
            "This server listens on {address}, and there is neither a list of people nor a sign-in: anyone who can "
            "reach it would have every role. Start it with `pronlab dashboard`, which listens on this machine only. If "
            "it is meant to be open, set `{variable}=1`."
        ).format(address=where, variable=VARIABLE),
        icon=":material/lock:",
    )
    return False


if __name__ == "__main__":  # as Streamlit runs it; processes that a page starts import the file
    main()
