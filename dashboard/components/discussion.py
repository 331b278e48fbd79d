"""Comments on a recording with their replies, and a field for another."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import errors_in_words
from dashboard.components.widths import box_width
from dashboard.markup import plain
from dashboard.services import discussion
from pipeline.i18n import _, minute, number
from pipeline.labels.comments import Thread
from pipeline.records import Recording


def key_of(recording: Recording) -> str:
    """Of a recording's fields; its id is what somebody named a file, and keys end up in the page."""
    return hashlib.sha256(recording.id.encode()).hexdigest()[:12]


def draw(recording: Recording, *, raters: Sequence[str] | None = None) -> None:
    """`raters` are those that a thread can be begun for; None on the page of a rater, who sees their own threads alone
    and writes to reviewers."""
    threads = discussion.threads_of(recording, while_rating=raters is None)
    n = sum(len(thread.comments) for thread in threads)
    title = _("Comments ({n})").format(n=number(n)) if n else _("Comments")
    with st.expander(title, icon=":material/forum:", expanded=bool(n)), errors_in_words():
        for thread in threads:
            _thread(recording, thread)
        _begin(recording, raters)


def _thread(recording: Recording, thread: Thread) -> None:
    with st.container(border=True):
        for comment in thread.comments:
            words = _("**{author}** to {name} · {time}") if comment.audience else _("**{author}** · {time}")
            when = minute(datetime.fromisoformat(comment.at))
            st.caption(words.format(author=plain(comment.author), name=plain(comment.audience), time=when))
            st.markdown(plain(comment.text))
        key = f"reply-{key_of(recording)}-{thread.number}"
        empty_if_kept(key, {f"{key}-text": ""})
        with st.form(key, border=False):
            row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
            text = row.text_input(_("Reply"), key=f"{key}-text", label_visibility="collapsed", placeholder=_("Reply"))
            sent = row.form_submit_button(_("Reply"), icon=":material/reply:")
        if sent:
            discussion.reply(recording, thread.number, text)
            keep(key, _("Saved."))


def _addressed(name: str) -> str:
    return _("For {name}").format(name=name) if name else _("For reviewers")


def _begin(recording: Recording, raters: Sequence[str] | None) -> None:
    key = f"comment-{key_of(recording)}"
    empty_if_kept(key, {f"{key}-text": ""})
    with st.form(key, border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        text = row.text_input(
            _("Comment"), key=f"{key}-text", label_visibility="collapsed",
            placeholder=_("Comment for reviewers") if raters is None else _("Comment"),
        )  # fmt: skip
        audience = ""
        if raters:
            audience = row.selectbox(
                _("For"), ["", *raters], key=f"{key}-for", label_visibility="collapsed", format_func=_addressed,
                width=box_width(map(_addressed, ["", *raters])),
            )  # fmt: skip
        sent = row.form_submit_button(_("Comment"), icon=":material/add_comment:")
    if sent:
        discussion.begin(recording, text, audience)
        keep(key, _("Saved."))
