"""Step 1: the clips of a word, their problems, and how they sound when training varies them."""

import streamlit as st

from dashboard import state
from dashboard.components.choices import pick, turn_to
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import MOST_MB, SPANS, WORD
from dashboard.components.report_files import download_json
from dashboard.components.tables import data_table, fitted
from dashboard.components.uploader import upload_several
from dashboard.components.voice_recorder import voice_recorder
from dashboard.markup import message, plain
from dashboard.sections.wakeword import record, rendered, speak
from dashboard.sections.wakeword.speaker_field import speaker_field
from dashboard.sections.wakeword.steps import CONFIGURATION, offer_step
from dashboard.services import wakeword_clips
from pipeline.audio.load import AUDIO_KINDS
from pipeline.i18n import N_, _, ngettext, number, pgettext, translated
from pipeline.wakeword.data.clip_library import PARTS, SET_ASIDE, ClipLibrary
from pipeline.wakeword.data.clip_uploads import UploadOutcome
from pipeline.wakeword.data.clips import ClipScan, Label

TITLES = {
    "positive": N_("The word"), "negative": N_("Other speech"), "hard_negative": N_("Similar-sounding speech"),
    "noise": N_("Noise"), "rir": N_("Room impulse responses"), "evaluation/positive": N_("The word, for evaluation"),
    "evaluation/background": N_("Other speech, for evaluation"), "evaluation/noise": N_("Noise, for evaluation"),
    "evaluation/near": N_("Similar phrases, for evaluation"),
}  # fmt: skip
SHOWN = 12
UPLOADS = "wakeword-uploads"


def choose_word() -> ClipLibrary | None:
    """The clips of the word that the page is about; None while there is no word."""
    known = wakeword_clips.words()
    if not known:
        return None
    return wakeword_clips.library(pick(_("Word"), {word: word for word in known}, key=state.WAKE_WORD))


def draw(clips: ClipLibrary | None) -> None:
    if clips is None:
        with st.container(border=True):
            _new_word()
        st.info(
            _(
                "There are no clips yet. Type a word above, then have it spoken or upload recordings, or copy folders "
                "with `pronlab wakeword add WORD --positive FOLDER --negative FOLDER`."
            ),
            icon=":material/upload:",
        )
        return
    is_new = _is_new(clips)
    left, right = st.columns(2)
    with left:
        _counts(clips)
        if clips.files("positive") or clips.has_spoken:
            offer_step(CONFIGURATION)
        with st.expander(_("Add clips"), icon=":material/upload:", expanded=is_new):
            _add(clips)
        record.draw(clips)
    with right:
        speak.draw(clips, is_open=is_new)
        with st.expander(_("New word"), icon=":material/add:"):
            _new_word()
        if any(clips.counts.values()):
            with st.expander(_("Delete clips"), icon=":material/delete:"):
                _delete(clips)
        _set_aside(clips)
    _check(clips)
    rendered.draw(clips)


def _is_new(clips: ClipLibrary) -> bool:
    """Whether there were no clips when the word was opened: what is open then stays so once there are some."""
    key = f"new-{clips.name}"
    if state.recall(key) is None:
        state.remember(key, not any(clips.counts.values()))
    return bool(state.recall(key))


def _new_word() -> None:
    n_known = len(wakeword_clips.words())  # the form is empty again once a word is made
    with st.form(f"new-word-{n_known}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        word = st.text_input(_("New word or phrase"), placeholder=_("computer"), max_chars=60)
        submitted = st.form_submit_button(_("Create"), icon=":material/add:")
    if submitted:
        with errors_in_words():
            created = wakeword_clips.library(word, create=True)
            turn_to(state.WAKE_WORD, created.name)
            st.rerun()


def _counts(clips: ClipLibrary) -> None:
    counts, made = clips.counts, wakeword_clips.spoken(clips)
    synthetic: dict[str, int] = {}
    if made:
        synthetic = {Label.POSITIVE: made.clips, Label.HARD_NEGATIVE: made.near, Label.NEGATIVE: made.other}
    shown = (Label.POSITIVE, Label.NEGATIVE)
    rows = [
        {
            _("Clips"): _(TITLES[part]), _("Files"): number(n),
            **({_("Synthetic"): number(synthetic.get(part, 0))} if made else {}),
        }
        for part, n in counts.items() if n or part in shown or synthetic.get(part)
    ]  # fmt: skip
    fitted(rows, right=(_("Files"), *([_("Synthetic")] if made else [])))
    if (counts[Label.POSITIVE] or made) and not counts[Label.NEGATIVE]:
        st.caption(_("Recording sets can also serve as other speech: choose them under 2 Configuration."))


def _add(clips: ClipLibrary) -> None:
    round_ = state.recall(UPLOADS, 0)
    part = st.selectbox(_("Kind of clips"), PARTS, format_func=lambda name: _(TITLES[name]), key="wakeword-part")
    files = upload_several(_("Files"), AUDIO_KINDS, key=f"wakeword-files-{round_}", most_mb=MOST_MB)
    st.caption(
        _(
            "Or record one clip of this kind, such as other speech or the noise of the room. For takes of the word, "
            "**Record the word** below checks each."
        )
    )
    recording = voice_recorder(f"wakeword-{round_}", SPANS[WORD], key="wakeword-recorder")
    uploads = [(file.name, file.getvalue()) for file in files]
    if recording is not None:
        uploads.append((f"recorded-{len(clips.files(part)) + 1:03}.wav", recording))
    n = len(uploads)
    save = ngettext("Save {n} clip", "Save {n} clips", n).format(n=number(n))
    if uploads and st.button(save, type="primary", icon=":material/save:"):
        with st.spinner(_("Saving …")):
            outcome = UploadOutcome()
            state.remember(f"uploaded-{clips.name}", outcome)
            state.remember(UPLOADS, round_ + 1)  # an empty field, whatever comes of these files
            wakeword_clips.add_uploads(
                clips, part, uploads, outcome
            )  # draws nothing: another choice would end it there
        st.rerun()
    if not uploads:
        _uploaded(state.recall(f"uploaded-{clips.name}"))


def _uploaded(outcome: UploadOutcome | None) -> None:
    """What became of the files that were given last."""
    if outcome is None:
        return
    if outcome.n_saved:
        n_saved = outcome.n_saved
        st.success(
            ngettext("{n} clip saved.", "{n} clips saved.", n_saved).format(n=number(n_saved)), icon=":material/check:"
        )
    if outcome.known:
        n_known = len(outcome.known)
        known = [f"{name} ({_(TITLES[part])})" for name, part in outcome.known]
        st.info(
            ngettext(
                "{n} file is here already and was not saved again:", "{n} files are here already and were not saved "
                "again:", n_known,
            ).format(n=number(n_known)) + _listed([plain(each) for each in known]),
            icon=":material/content_copy:",
        )  # fmt: skip
    if outcome.refused:
        n_refused = len(outcome.refused)
        st.error(
            ngettext("{n} file cannot be used:", "{n} files cannot be used:", n_refused).format(n=number(n_refused))
            + _listed([message(reason) for reason in outcome.refused]),
            icon=":material/error:",
        )


def _listed(lines: list[str]) -> str:
    """As Markdown, the first of them."""
    more = len(lines) - SHOWN
    rest = [_("and {n} more").format(n=number(more))] if more > 0 else []
    return "\n" + "".join(f"\n- {line}" for line in [*lines[:SHOWN], *rest])


def _delete(clips: ClipLibrary) -> None:
    parts = [part for part, n in clips.counts.items() if n]
    part = st.selectbox(
        _("Kind of clips"), parts, format_func=lambda name: _(TITLES[name]), key=f"delete-part-{clips.name}"
    )
    folder = clips.folder(part)
    files = {file.relative_to(folder).as_posix(): file for file in clips.files(part)}
    names = st.multiselect(
        _("Clips"), list(files), key=f"delete-clips-{clips.name}-{part}", placeholder=_("Choose clips")
    )
    if not names:
        return
    if len(names) == 1:
        st.audio(files[names[0]])
    n = len(names)
    question = ngettext(
        "{n} clip will be permanently deleted: {files}", "{n} clips will be permanently deleted: {files}", n
    )
    if confirm(
        _("Delete"), question.format(n=number(n), files=_listed([plain(name) for name in names])),
        answer=_("Delete permanently"), key=f"delete-clips-{clips.name}", icon=":material/delete:",
    ):  # fmt: skip
        wakeword_clips.delete_clips(clips, part, names)
        st.toast(ngettext("{n} clip deleted.", "{n} clips deleted.", n).format(n=number(n)))
        st.rerun()


def _set_aside(clips: ClipLibrary) -> None:
    counts = clips.counts
    kinds = [part for part, aside in SET_ASIDE.items() if part == Label.POSITIVE or counts[part] or counts[aside]]

    def kept(part: str) -> str:
        n_kept = counts[SET_ASIDE[part]]
        return _("{kind}: {kept} of {n}").format(
            kind=_(TITLES[part]), kept=number(n_kept), n=number(counts[part] + n_kept)
        )

    with st.container(border=True), errors_in_words():
        st.markdown(
            _("**For evaluation**"),
            help=_("Training never uses these clips. Without them nobody knows how good the detector is."),
        )
        part = st.selectbox(_("Set aside so far"), kinds, format_func=kept, key=f"aside-{clips.name}")
        pattern = speaker_field(key="wakeword-aside-source")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            share = st.slider(_("Share to set aside (%)"), 5, 60, 30, 5, key="wakeword-share")
            if st.button(pgettext("button", "Set aside"), icon=":material/call_split:", disabled=not counts[part]):
                moved = clips.set_aside(share / 100, part, pattern or None)
                st.toast(ngettext("{n} clip set aside.", "{n} clips set aside.", moved).format(n=number(moved)))
                st.rerun()
            if st.button(_("Put back"), icon=":material/undo:", disabled=not counts[SET_ASIDE[part]]):
                moved = clips.take_back(part)
                st.toast(ngettext("{n} clip put back.", "{n} clips put back.", moved).format(n=number(moved)))
                st.rerun()


def _check(clips: ClipLibrary) -> None:
    key, of_class = f"scan-{clips.name}", {label: clips.learnt_from(label) for label in Label}
    files = tuple(file for some in of_class.values() for file in some)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pattern = speaker_field(key="wakeword-source", width=420)
        clicked = st.button(_("Check clips"), icon=":material/fact_check:", disabled=not of_class[Label.POSITIVE])
    if clicked:
        bar = st.progress(0.0)

        def progress(done: int, n: int, _message: str) -> None:
            bar.progress(done / n, text=_("{done} of {n}").format(done=number(done), n=number(n)))

        state.remember(key, (files, wakeword_clips.scan(clips, pattern, progress)))
        bar.empty()
    scanned, scan = state.recall(key, ((), None))
    if scanned != files or scan is None:  # never, or clips have come or gone since
        st.caption(_("Reads every clip and finds unusable clips, duplicates and durations."))
        return
    _scan_report(clips, scan)


def _scan_report(clips: ClipLibrary, scan: ClipScan) -> None:
    rows = [
        {
            _("Clips"): _(TITLES[label]), _("Usable"): number(s.clips), _("Minutes"): number(60 * s.hours, 1),
            _("Shortest (s)"): number(s.shortest_s, 2), _("Median (s)"): number(s.median_s, 2),
            _("Longest (s)"): number(s.longest_s, 2), _("Speakers or files"): number(s.sources),
        }
        for label, s in scan.statistics.items()
    ]  # fmt: skip
    fitted(rows, right=list(rows[0])[1:] if rows else ())
    download_json(scan, f"clips-{clips.name}")
    for paths in scan.duplicates[:SHOWN]:
        st.caption(_("Duplicates: {files}").format(files=plain(", ".join(paths))))
    if scan.left_out:
        n_other = len(scan.left_out)
        st.caption(
            ngettext(
                "{n} file is no audio and was left out: {files}",
                "{n} files are no audio and were left out: {files}",
                n_other,
            ).format(n=number(n_other), files=plain(", ".join(scan.left_out[:SHOWN])))
        )
    if not scan.bad:
        n = len(scan.clips)
        st.success(
            ngettext("{n} clip checked: no problems.", "All {n} clips can be used.", n).format(n=number(n)),
            icon=":material/check:",
        )
        return
    n_bad = len(scan.bad)
    st.warning(
        ngettext("{n} clip cannot be used.", "{n} clips cannot be used.", n_bad).format(n=number(n_bad)),
        icon=":material/warning:",
    )
    data_table(
        [
            {_("Clip"): clip.path, _("Reason"): "; ".join(translated(p.message) for p in clip.problems)}
            for clip in scan.bad
        ],
    )
    question = ngettext(
        "Move {n} clip, with the reason, to the folder **quarantine** of this word? Nothing is deleted.",
        "Move {n} clips, with the reasons, to the folder **quarantine** of this word? Nothing is deleted.",
        n_bad,
    )
    if confirm(
        _("Quarantine"), question.format(n=number(n_bad)), answer=_("Yes, move them"), key=f"quarantine-{clips.name}",
        icon=":material/folder_off:",
    ):  # fmt: skip
        n_moved = len(clips.quarantine(scan))
        st.toast(ngettext("{n} clip in quarantine.", "{n} clips in quarantine.", n_moved).format(n=number(n_moved)))
        st.rerun()
