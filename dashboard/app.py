"""The dashboard's frame: page settings, navigation, and who gets in where."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard import identity
from dashboard.components.page import errors_in_words
from dashboard.markup import plain
from dashboard.pages import PAGES, VIEWS, Page
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
    with errors_in_words():
        identity.sidebar()
        me = identity.present()
        pages = {_drawn(page, me, first=number == 0): page for number, page in enumerate(PAGES)}
        chosen = st.navigation(list(pages))
        page = next(page for drawn, page in pages.items() if drawn == chosen)
        if me is None:
            st.title("Pronlab")
            how = "Sign in" if identity.signs_in() else "Choose your name"
            st.info(f"Say who you are first: in the bar on the left. {how} to go on.", icon=":material/login:")
        elif page.opens_to(me):
            chosen.run()
        else:
            st.title(page.title)
            me.require(*page.needs)


def _drawn(page: Page, me: Identity | None, *, first: bool) -> StreamlitPage:
    """In the navigation where it opens to whoever is there; its address is known in any case, and refuses."""
    seen = me is not None and page.opens_to(me)
    return st.Page(
        VIEWS / f"{page.name}.py", title=page.title, icon=page.icon, url_path=page.name, default=first,
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
