"""What would be imported of the files that somebody sent, and what they choose where the files do not say it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.components.tables import data_table, localised
from dashboard.markup import message, plain
from dashboard.services import uploads
from pipeline.i18n import N_, _, ngettext, number, reason_alone, translated
from pipeline.importing.uploads.file_names import NameRule
from pipeline.importing.uploads.review import (
    Choices,
    Contents,
    Corpus,
    Row,
    Source,
    contents_of,
    guessed_rule,
    layout_words,
    rows_of,
)
from pipeline.records import RubricName
from pipeline.text.languages import LANGUAGE_NAMES

if TYPE_CHECKING:
    from pipeline.importing.uploads.staging import Staging

RULES = {
    NameRule.NONE: N_("Do not read them"), NameRule.WORD: N_("araba: the word"),
    NameRule.NUMBER_WORD: N_("01_araba: number, word"), NameRule.WORD_SPEAKER: N_("araba_ayse: word, speaker"),
    NameRule.SPEAKER_WORD: N_("ayse_araba: speaker, word"),
}  # fmt: skip
SOURCES = {
    Source.TABLE: N_("table"), Source.BESIDE: N_("text file"), Source.NAME: N_("file name"),
    Source.FOLDER: N_("folder"), Source.TYPED: N_("typed"), Source.CORPUS: N_("corpus"), Source.NOWHERE: "",
}  # fmt: skip
RUBRICS = {"": N_("By their length"), RubricName.WORD: N_("Words"), RubricName.SENTENCE: N_("Sentences")}
SHOWN_PROBLEMS, SHOWN_GROUPS, SHOWN_NAMES, SHOWN_ROWS = 500, 20, 4, 2_000


def review(staging: "Staging") -> None:
    contents = contents_of(staging.staged.values())
    corpus = uploads.corpus(staging.upload.id)
    _summary(contents, corpus)
    _problems(contents, corpus)
    n_usable = contents.n_recordings if corpus.is_editable else len(corpus.items) + corpus.n_clips
    if not n_usable:
        st.info(_("There is no recording to import yet. Add more files above."), icon=":material/info:")
        return
    if corpus.is_editable:
        n_usable = _texts(staging, corpus)
    else:
        _as_it_lies(staging, contents, corpus)
    _import(staging, n_usable, may_add=corpus.is_editable)


def _summary(contents: Contents, corpus: Corpus) -> None:
    n = contents.n_recordings
    kinds = ", ".join(f"{number(count)} {suffix.removeprefix('.')}" for suffix, count in contents.by_suffix.items())
    parts = [ngettext("**{n} recording**", "**{n} recordings**", n).format(n=number(n)) + (f" ({kinds})" if n else "")]
    if n:
        parts.append(_("{n} min").format(n=number(contents.seconds / 60, 1)))
    further = (
        (contents.n_tables, ngettext("{n} table", "{n} tables", contents.n_tables)),
        (contents.n_texts, ngettext("{n} text file", "{n} text files", contents.n_texts)),
        (contents.n_data, ngettext("{n} other file", "{n} other files", contents.n_data)),
        (contents.n_refused, ngettext("{n} file refused", "{n} files refused", contents.n_refused)),
    )
    parts += [words.format(n=number(count)) for count, words in further if count]
    st.markdown(" · ".join(parts))
    if corpus.layout:
        st.caption(_("Recognised: {layout}").format(layout=plain(_(layout_words(corpus.layout)))))
    if contents.n_labels and corpus.layout != "folder":
        text = ngettext(
            "{n} label file is not used: labels are read beside recordings in participant folders only. Import the "
            "ratings below once the recordings are in.",
            "{n} label files are not used: labels are read beside recordings in participant folders only. Import the "
            "ratings below once the recordings are in.",
            contents.n_labels,
        )
        st.info(text.format(n=number(contents.n_labels)), icon=":material/info:")
    if corpus.n_absent:
        text = ngettext(
            "{n} row of a table names a recording that is not among these files. Add it, or it is left out.",
            "{n} rows of tables name recordings that are not among these files. Add them, or they are left out.",
            corpus.n_absent,
        )
        st.warning(text.format(n=number(corpus.n_absent)), icon=":material/warning:")


def _problems(contents: Contents, corpus: Corpus) -> None:
    listed = [*contents.problems, *((problem.path or "", problem) for problem in corpus.problems)]
    refused = [(name, reason_alone(problem.message)) for name, problem in listed if problem.severity == "error"]
    warned = [(name, reason_alone(problem.message)) for name, problem in listed if problem.severity != "error"]
    if refused:
        title = _("Not usable: {n}").format(n=number(len(refused)))
        with st.expander(title, icon=":material/block:", expanded=True):
            _listed(refused)
    if warned:
        title = _("Usable, with warnings: {n}").format(n=number(len(warned)))
        with st.expander(title, icon=":material/warning:"):
            _listed(warned)


def _listed(problems: list[tuple[str, str]]) -> None:
    """By reason, in text that wraps; all of them in a table where there are too many reasons."""
    groups: dict[str, list[str]] = {}
    for name, reason in problems:
        groups.setdefault(translated(reason), []).append(name)
    shown = list(groups.items())[:SHOWN_GROUPS]
    st.markdown("\n".join(f"- **{_names(names)}** {plain(reason)}" for reason, names in shown))  # not shown
    if len(groups) <= SHOWN_GROUPS:
        return
    data_table(
        [
            {_("File"): name, _("Problem and what to do"): translated(reason)}
            for name, reason in problems[:SHOWN_PROBLEMS]
        ],
        column_config={_("File"): st.column_config.TextColumn(pinned=True)},
    )
    if len(problems) > SHOWN_PROBLEMS:
        st.caption(_("The table shows at most {most}.").format(most=number(SHOWN_PROBLEMS)))


def _names(names: list[str]) -> str:
    n_more = len(names) - SHOWN_NAMES
    shown = ", ".join(plain(name) for name in names[:SHOWN_NAMES])
    return shown if n_more <= 0 else _("{names} and {n} more").format(names=shown, n=number(n_more))


def _texts(staging: "Staging", corpus: Corpus) -> int:
    """The choices and the table of texts and speakers; how many recordings have a text."""
    before = uploads.choices(staging.upload.id)
    choices = _choices(staging, corpus, before)
    if choices != before:
        uploads.choose(staging.upload.id, choices)
    rows = rows_of(staging, corpus, choices)
    _table(staging, rows)
    n_without = sum(not row.text for row in rows)
    n_unnamed = sum(bool(row.text and not row.speaker) for row in rows)
    if n_without:
        text = ngettext(
            "{n} recording has no text and is left out. Type it, or add a table (file, text, speaker).",
            "{n} recordings have no text and are left out. Type them, or add a table (file, text, speaker).",
            n_without,
        )
        st.info(text.format(n=number(n_without)), icon=":material/info:")
    if n_unnamed:
        text = ngettext(
            "{n} recording has no speaker. Recordings of one person must not be in the training and the test data.",
            "{n} recordings have no speaker. Recordings of one person must not be in the training and the test data.",
            n_unnamed,
        )
        st.warning(text.format(n=number(n_unnamed)), icon=":material/person_off:")
    return len(rows) - n_without


def _choices(staging: "Staging", corpus: Corpus, before: Choices) -> Choices:
    key = staging.upload.id
    first, second, third, fourth = st.columns([1.5, 1, 1, 1.2])
    rules, rubrics = list(RULES), list(RUBRICS)
    rule = before.names if before.names is not None else guessed_rule(staging, corpus)
    names = first.selectbox(
        _("Names of the files"), rules, index=rules.index(rule), format_func=lambda name: _(RULES[name]),
        key=f"upload-names-{key}-{rule}", help=_("For recordings that no table and no text file names."),
    )  # fmt: skip
    language = _language(second, before, key)
    rubric = third.selectbox(
        _("Rated as"), rubrics, index=rubrics.index(before.rubric or ""), format_func=lambda name: _(RUBRICS[name]),
        key=f"upload-rubric-{key}",
        help=_("A set is rated in one way: as words where every text is one word, else as sentences."),
    )  # fmt: skip
    speaker = fourth.text_input(
        _("Speaker of the others"), before.speaker, key=f"upload-speaker-{key}",
        help=_("Where neither a file nor a folder names one."),
    )  # fmt: skip
    return replace(
        before,
        names=before.names if names == rule else NameRule(names),
        language=language,
        rubric=RubricName(rubric) if rubric else None,
        speaker=" ".join(speaker.split()),
    )


def _language(place: DeltaGenerator, before: Choices, upload_id: str) -> str:
    """Of the recordings of which no file says it."""
    languages = ["", *LANGUAGE_NAMES]
    return place.selectbox(
        _("Language"), languages, index=languages.index(before.language) if before.language in languages else 0,
        format_func=lambda code: _(LANGUAGE_NAMES[code]) if code else _("Not known"),
        key=f"upload-language-{upload_id}",
    )  # fmt: skip


def _table(staging: "Staging", rows: list[Row]) -> None:
    shown = rows
    if len(rows) > SHOWN_ROWS:
        shown = sorted(rows, key=lambda row: bool(row.text and row.speaker))[:SHOWN_ROWS]
        st.caption(
            _("The first {most} of {n}, those without a text or a speaker before the others.").format(
                most=number(SHOWN_ROWS), n=number(len(rows))
            )
        )
    key = f"upload-rows-{staging.upload.id}"
    columns = [
        {
            "path": row.path,
            "text": row.text,
            "speaker": row.speaker,
            "from": ", ".join(dict.fromkeys(_(SOURCES[by]) for by in (row.text_source, row.speaker_source) if by)),
            "seconds": row.duration_s,
        }
        for row in shown
    ]
    st.data_editor(
        localised(columns, {"seconds": 1}),
        hide_index=True,
        height="content" if len(shown) <= 8 else 320,
        disabled=["path", "from", "seconds"],
        column_config={
            "path": st.column_config.TextColumn(_("Recording"), pinned=True, width="medium"),
            "text": st.column_config.TextColumn(_("Text"), width="medium"),
            "speaker": st.column_config.TextColumn(_("Speaker")),
            "from": st.column_config.TextColumn(_("From")),
            "seconds": st.column_config.Column(_("Seconds")),
        },
        key=key,
        on_change=_keep_typed,
        args=(staging.upload.id, key, [row.path for row in shown]),
    )


def _keep_typed(upload_id: str, key: str, paths: list[str]) -> None:
    """What was typed is on the disk before anything else happens."""
    edited: dict[int, dict[str, Any]] = state.component_value(key, "edited_rows") or {}
    before = uploads.choices(upload_id)
    typed = dict(before.typed)
    for place, cells in edited.items():
        values = {name: " ".join(str(value or "").split()) for name, value in cells.items()}
        typed[paths[place]] = {**typed.get(paths[place], {}), **values}
    uploads.choose(upload_id, replace(before, typed=typed))


def _as_it_lies(staging: "Staging", contents: Contents, corpus: Corpus) -> None:
    speakers = {item.speaker for item in corpus.items.values()} | corpus.clip_speakers
    n_speakers = ngettext("{n} speaker", "{n} speakers", len(speakers)).format(n=number(len(speakers)))
    n = len(corpus.items) + corpus.n_clips
    recordings = ngettext("{n} recording", "{n} recordings", n).format(n=number(n))
    st.markdown(
        _("The corpus has {recordings} of {speakers}; its own texts, speakers and ratings are used.").format(
            recordings=recordings, speakers=n_speakers
        )
    )
    if corpus.n_clips or any(item.language == "und" for item in corpus.items.values()):
        before = uploads.choices(staging.upload.id)
        language = _language(st.container(), before, staging.upload.id)
        if language != before.language:
            uploads.choose(staging.upload.id, replace(before, language=language))
    n_left = contents.n_recordings - len(corpus.items)
    if n_left > 0 and not corpus.n_clips:
        text = ngettext(
            "{n} recording is not part of the corpus and is left out.",
            "{n} recordings are not part of the corpus and are left out.",
            n_left,
        )
        st.warning(text.format(n=number(n_left)), icon=":material/warning:")


def _import(staging: "Staging", n_usable: int, *, may_add: bool) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    existing = uploads.growing_sets() if may_add else []
    name = _name(left, staging, existing)
    n, add = number(n_usable), name in existing
    words = ngettext("Import {n} recording", "Import {n} recordings", n_usable)
    if add:
        words = ngettext("Add {n} recording", "Add {n} recordings", n_usable)
    words = words.format(n=n)
    ready = bool(n_usable and name.strip() and not staging.waiting())
    if right.button(words, type="primary", icon=":material/input:", disabled=not ready, width="stretch"):
        run = uploads.begin_import(staging.upload.id, name, add=add)
        state.watch(state.JOB, run.id)
        st.rerun()


def _name(place: DeltaGenerator, staging: "Staging", existing: list[str]) -> str:
    """Of a new set, or of one of the `existing` ones that the recordings are added to."""
    key, advice = f"upload-name-{staging.upload.id}", message(_("Letters, digits, `-`, `_` and `.`."))
    if not existing:
        return place.text_input(_("Name of the set"), key=key, placeholder="class-7b", help=advice)
    chosen = place.selectbox(
        _("Name of the set"), existing, index=None, key=key, accept_new_options=True, help=advice,
        placeholder=_("A new name, or a set to add to"),
    )  # fmt: skip
    return chosen or ""
