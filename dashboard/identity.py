"""Who sits in front of the page: by sign-in where it is set up, else by the name they chose. The one place that decides
it; every page and every service of the dashboard asks here what they may."""

import functools
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from dashboard import state
from dashboard.markup import plain
from pipeline import i18n
from pipeline.artifacts import is_missing
from pipeline.errors import AccessError, PronlabError, said_by
from pipeline.i18n import _
from pipeline.people.access import GUEST, Action, Identity
from pipeline.people.exposure import read_secrets, unreadable_secrets
from pipeline.people.names import same_person, spelled_as
from pipeline.people.people import People
from pipeline.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

# Who drew a download that is made in another thread, where Streamlit knows no visitor.
_held: ContextVar[Identity | None] = ContextVar("held", default=None)


def signs_in() -> bool:
    """Whether the installation has `[auth]` in its secrets (any OpenID Connect provider). Raises AccessError for
    secrets that are there and cannot be read."""
    try:
        return "auth" in st.secrets
    except (OSError, ValueError, RecursionError) as error:  # Streamlit raises one error for none and for broken ones
        files = [Path(name) for name in st.get_option("secrets.files")]
        present_files = [file for file in files if file.suffix != ".toml" or not is_missing(file)]
        if not present_files:
            return False
        for file in present_files:
            read_secrets(file)
        raise unreadable_secrets(present_files[0], said_by(error)) from error


def people() -> People:
    return People(Settings.from_env())


def is_open() -> bool:
    """Whether whoever is there has every role: there is neither a list nor a sign-in."""
    return people().is_open and not signs_in()


def current() -> Identity | None:
    """None where nobody has said who they are. Raises AccessError for somebody who is not on the list, no longer
    active, or signed in with an address that is not verified."""
    drew = _held.get()
    if drew is not None:  # looked up again: they may have left the list since
        return drew if people().is_open else people().identify(drew.name)
    if signs_in():
        if not st.user.is_logged_in:
            return None
        email = verified_email()
        # Without a list the address is the name: two people may have one display name, which they choose themselves.
        return people().identify(email) if people().is_open else people().identify_by_email(email)
    name = state.chosen(state.RATER)
    return people().identify(name) if name else None


def present() -> Identity | None:
    """As `current`; on an open installation a guest with every role where nobody has said a name."""
    return current() or (GUEST if is_open() else None)


def verified_email() -> str:
    """Of whoever signed in. Raises AccessError where the provider does not say that the address is theirs; where it
    says nothing of it, `trust_email = true` under `[pronlab]` in the secrets takes its word."""
    email = str(st.user.get("email") or "").strip()
    if not email:
        raise AccessError(
            _("Your sign-in came without an e-mail address, which identifies you here. Ask an administrator.")
        )
    claim = st.user.get("email_verified")
    if claim is None and _trusts_email():
        return email
    if str(claim).strip().casefold() != "true":
        raise AccessError(
            _(
                "The address {email} is not verified by the service you signed in with. Verify it there, then sign in "
                "again."
            ).format(email=email)
        )
    return email


def allowed(action: Action, *others: Action) -> Identity:
    """Whoever sits here, if they may do `action` or one of the `others`. An open installation lets in whoever has not
    said a name. Raises AccessError."""
    me = present()
    if me is None:
        raise AccessError(_("Sign in first.") if signs_in() else _("Choose your name in the sidebar first."))
    me.require(action, *others)
    return me


def as_person(name: str, action: Action) -> Identity:
    """Who acts where something is kept under a typed name: on an open installation whoever has that name, else whoever
    sits here, whatever was typed. Raises AccessError."""
    if not is_open():
        return allowed(action)
    return people().identify(name) if name else GUEST


def is_still(me: Identity, action: Action) -> bool:
    """Whether `me`, for whom the page was drawn, still sits here and may do `action`: for what happens before a page is
    drawn anew, where an error could not be shown."""
    try:
        return same_person(as_person(me.name, action).name, me.name)
    except PronlabError:
        return False


def asks(action: Action, *others: Action) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """For a service of the dashboard: it runs for who may do `action`, or one of the `others`, else AccessError."""

    def decorate(service: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(service)
        def asked(*args: P.args, **kwargs: P.kwargs) -> T:
            allowed(action, *others)
            return service(*args, **kwargs)

        asked.asks = (action, *others)  # type: ignore[attr-defined]
        return asked

    return decorate


def held(service: Callable[[], T]) -> Callable[[], T]:
    """`service` as whoever sits here now and in their language, for a download made later in another thread."""
    me, language = current(), i18n.language()

    def later() -> T:
        token = _held.set(me)
        try:
            with i18n.speaking(language):
                return service()
        finally:
            _held.reset(token)

    return later


def ask() -> None:
    """In the page, for nobody: on a phone the sidebar is folded away."""
    if signs_in():
        st.info(_("Sign in first."), icon=":material/login:")
        st.button(_("Sign in"), on_click=st.login, type="primary", key="sign-in-here")
        return
    st.info(_("Choose your name first."), icon=":material/login:")
    names = [person.name for person in people().all() if person.active]
    st.selectbox(_("Your name"), names, index=None, key="name-here", on_change=_sit, placeholder=_("Choose your name"))


def _sit() -> None:
    state.choose(state.RATER, state.chosen("name-here"))


def sidebar() -> None:
    """Where the installation knows its people: who you are, and signing in or out."""
    if signs_in():
        if st.user.is_logged_in:
            name = plain(st.user.get("email") or st.user.get("name"))
            st.sidebar.caption(_("Signed in as {name}").format(name=name))
            st.sidebar.button(_("Sign out"), on_click=st.logout, icon=":material/logout:")
        else:
            st.sidebar.button(_("Sign in"), on_click=st.login, icon=":material/login:", type="primary")
        return
    known = people()
    if known.is_open:
        return
    names = [person.name for person in known.all() if person.active]
    typed = state.chosen(state.RATER)
    if typed not in names:
        state.choose(state.RATER, spelled_as(typed, names) if typed else None)
    st.sidebar.selectbox(
        _("Your name"), names, index=None, key=state.RATER, bind="query-params", placeholder=_("Choose your name")
    )


def _trusts_email() -> bool:
    section: Any = st.secrets.get("pronlab", {})
    return section.get("trust_email", False) is True
