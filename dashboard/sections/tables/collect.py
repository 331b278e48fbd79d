"""Collect prompts: write or import them, rate them, take notes."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import identity, state
from dashboard.components.confirm import confirm
from dashboard.components.forms import empty_if_kept, keep
from dashboard.components.page import empty_state, errors_in_words
from dashboard.components.tables import data_table
from dashboard.components.uploader import upload
from dashboard.services import tables
from pipeline.i18n import N_, _, ngettext, number
from pipeline.people.access import Action
from pipeline.tabular.prompts.store import LONGEST, Prompt
from pipeline.tabular.prompts.synthesize import RATER

EMPTY = {"prompt-text": "", "prompt-author": "", "prompt-score": None, "prompt-notes": ""}
SYNTHETIC = "synthetic"
OWN_WORDS = {SYNTHETIC: N_("synthetic"), RATER: N_("made up")}  # of the synthetic set, in its notes and as its rater
HEIGHT = 360
MAX_MB = 20


def collect() -> None:
    left, right = st.columns([2, 3])
    with left:
        _new_prompt()
    with right:
        prompts = tables.prompts()
        if not prompts:
            empty_state(_("There are no prompts yet. Write one, import a file, or start with the synthetic set."))
            if st.button(_("Import the synthetic set"), icon=":material/science:"):
                n = tables.add_synthetic()
                st.toast(ngettext("{n} prompt imported.", "{n} prompts imported.", n).format(n=number(n)))
                st.rerun()
            _import()
            return
        _list(prompts)
        _import()
    unrated = [prompt for prompt in prompts if prompt.score is None]
    with st.expander(_("Rate or remove a prompt"), expanded=bool(unrated)):
        _change(unrated + [prompt for prompt in prompts if prompt.score is not None])


def _new_prompt() -> None:
    empty_if_kept("prompt", EMPTY)
    with st.form("prompt-new"), errors_in_words():
        text = st.text_area(_("Prompt"), max_chars=LONGEST, height=100, key="prompt-text")
        left, right = st.columns(2)
        author = left.text_input(_("Author"), max_chars=80, key="prompt-author")
        rater = _rater(right, "prompt-rater")
        score = left.number_input(_("Score (0-100)"), 0.0, 100.0, None, 1.0, key="prompt-score", placeholder=_("later"))
        notes = right.text_input(_("Notes"), max_chars=500, key="prompt-notes", placeholder=_("reasons"))
        if st.form_submit_button(_("Save"), type="primary"):
            tables.keep_prompt(text, author, score, rater, notes)
            keep("prompt", _("Saved."))


def _import() -> None:
    """Only for who may import or train."""
    me = identity.allowed(Action.COLLECT_PROMPTS)
    if not (me.may(Action.IMPORT_DATA) or me.may(Action.TRAIN)):
        return
    with st.expander(_("Import a file"), icon=":material/upload:"), errors_in_words():
        file = upload(
            _("A table (CSV or Excel) or JSON lines"), ["csv", "tsv", "txt", "xlsx", "jsonl", "json"],
            key=f"prompts-file-{state.recall('prompts-files', 0)}", most_mb=MAX_MB,
            help_=_("Columns: text and author; score (0-100), rater and notes if there are any."),
        )  # fmt: skip
        if file is not None and st.button(_("Import prompts"), type="primary"):
            n = tables.add_file(file.name, file.getvalue())
            state.remember("prompts-files", state.recall("prompts-files", 0) + 1)
            st.toast(ngettext("{n} prompt imported.", "{n} prompts imported.", n).format(n=number(n)))
            st.rerun()


def _list(prompts: list[Prompt]) -> None:
    n, n_synthetic = len(prompts), sum(prompt.notes == SYNTHETIC for prompt in prompts)
    n_unrated = sum(prompt.score is None for prompt in prompts)
    with st.container(horizontal=True, vertical_alignment="center"):
        count = (
            ngettext("{n} prompt, {unrated} not rated yet.", "{n} prompts, {unrated} not rated yet.", n)
            if n_unrated
            else ngettext("{n} prompt, rated.", "{n} prompts, all rated.", n)
        )
        st.caption(count.format(n=number(n), unrated=number(n_unrated)), width="content")
        if n_synthetic:
            st.badge(
                ngettext(
                    "{n} synthetic prompt with an invented score", "{n} synthetic prompts with invented scores",
                    n_synthetic,
                ).format(n=number(n_synthetic)),
                icon=":material/science:", color="orange",
            )  # fmt: skip
    data_table(
        [
            {
                _("Prompt"): prompt.text,
                _("Score"): prompt.score,
                _("Author"): prompt.author,
                _("Rater"): _in_words(prompt.rater),
                _("Notes"): _in_words(prompt.notes),
            }
            for prompt in prompts[::-1]
        ],
        height=HEIGHT,
        column_config={_("Prompt"): st.column_config.TextColumn(width="medium", pinned=True)},
    )


def _in_words(text: str) -> str:
    return _(OWN_WORDS[text]) if text in OWN_WORDS else text


def _rater(container: DeltaGenerator, key: str) -> str:
    """Whoever sits here; on an open installation the name that is typed."""
    if identity.is_open():
        return container.text_input(_("Rater"), max_chars=80, key=key)
    return container.text_input(_("Rater"), identity.allowed(Action.COLLECT_PROMPTS).name, disabled=True, key=key)


def _change(prompts: list[Prompt]) -> None:
    chosen = st.selectbox(
        _("Prompt"), prompts, index=None, format_func=lambda prompt: prompt.text[:100], key="prompt-chosen",
        placeholder=_("Choose a prompt"),
    )  # fmt: skip
    if chosen is None:
        return
    st.code(chosen.text, language=None, wrap_lines=True)
    with st.form(f"prompt-rate-{chosen.id}", border=False), errors_in_words():
        left, middle, right = st.columns(3)
        score = left.number_input(_("Score (0-100)"), 0.0, 100.0, chosen.score, 1.0, key=f"rate-{chosen.id}")
        rater = _rater(middle, f"rater-{chosen.id}")
        notes = right.text_input(_("Notes"), chosen.notes, max_chars=500, key=f"notes-{chosen.id}")
        if st.form_submit_button(_("Save"), type="primary") and score is not None:
            tables.rate_prompt(chosen.id, score, rater, notes)
            st.rerun()
    if confirm(
        _("Remove"), _("The prompt is no longer used. Its line stays in the file."), answer=_("Yes, remove it"),
        key=f"remove-{chosen.id}",
    ):  # fmt: skip
        tables.remove_prompt(chosen.id)
        st.rerun()
