"""Who sits in front of the page: by sign-in where it is set up, else by the name they chose."""

import streamlit as st

from dashboard import services, state
from dashboard.markup import plain
from pipeline.errors import AccessError
from pipeline.people.access import Action, Identity
from pipeline.people.people import People


def signs_in() -> bool:
    """Whether the installation has `[auth]` in its secrets (any OpenID Connect provider)."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def people() -> People:
    return People(services.settings())


def current() -> Identity | None:
    """None where nobody has said who they are. Raises AccessError for somebody who is not on the list."""
    if signs_in():
        if not st.user.is_logged_in:
            return None
        email, name = str(st.user.get("email") or ""), str(st.user.get("name") or "")
        return people().identify(name or email) if people().is_open else people().identify_by_email(email)
    name = state.chosen(state.RATER)
    return people().identify(name) if name else None


def allowed(action: Action) -> Identity:
    """Whoever sits here, if they may. An open installation lets in whoever has not said a name. Raises AccessError."""
    found = current()
    if found is None:
        if people().is_open and not signs_in():
            return people().identify("guest")
        raise AccessError("Say who you are first: in the bar on the left.")
    found.require(action)
    return found


def sidebar() -> None:
    """Where the installation knows its people: who you are, and signing in or out."""
    if signs_in():
        if st.user.is_logged_in:
            st.sidebar.caption(f"Signed in as {plain(st.user.get('email') or st.user.get('name'))}")
            st.sidebar.button("Sign out", on_click=st.logout, icon=":material/logout:")
        else:
            st.sidebar.button("Sign in", on_click=st.login, icon=":material/login:", type="primary")
        return
    known = people()
    if known.is_open:
        return
    names = [person.name for person in known.all() if person.active]
    if state.chosen(state.RATER) not in names:
        state.choose(state.RATER, None)
    st.sidebar.selectbox(
        "You are", names, index=None, key=state.RATER, bind="query-params", placeholder="Choose your name"
    )
