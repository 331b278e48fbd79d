"""Recordings from the visitor's own computer: sent, checked, looked over, and imported once they say so."""

import time
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.confirm import confirm
from dashboard.components.file_drop import empty, file_drop, key_of_file_drop
from dashboard.components.folder_drop import folder_drop
from dashboard.components.progress import progress_bar
from dashboard.markup import plain
from dashboard.sections.data import upload_review
from dashboard.services import shared, uploads
from pipeline.audio.load import KINDS_IN_WORDS, MAX_DURATION_S
from pipeline.i18n import _, minute, ngettext, number
from pipeline.importing.uploads.limits import LIMITS, MIB
from pipeline.times import utc_time

if TYPE_CHECKING:
    from pipeline.importing.uploads.staging import Staging
    from pipeline.runs import RunDirectory, RunState

DROP = "upload-files"
PAUSED = "upload-paused"
SHOWN_EVERY_S = 0.1


def from_browser() -> None:
    st.header(_("From your computer"))
    mine = uploads.uploads()
    chosen = next((staging for staging in mine if staging.upload.id == state.watched(state.UPLOAD)), None)
    if chosen is None and state.watched(state.UPLOAD):  # it was imported or discarded
        state.watch(state.UPLOAD, None)
    if chosen is None or not chosen.upload.set:
        _drop(chosen)
    if chosen is not None:
        with st.container(border=True):
            _upload(chosen)
    others = [staging for staging in mine if staging is not chosen]
    if others:
        _others(others)


def import_report(_run: "RunDirectory", run_state: "RunState") -> None:
    """What an import brought, under its status."""
    report = run_state.result
    if run_state.status != "finished" or "set" not in report:
        return
    n, n_speakers, n_problems = report["n_recordings"], report["n_speakers"], len(report["problems"])
    parts = [
        ngettext("{n} recording", "{n} recordings", n).format(n=number(n)),
        ngettext("{n} speaker", "{n} speakers", n_speakers).format(n=number(n_speakers)),
        ngettext("{n} problem", "{n} problems", n_problems).format(n=number(n_problems)),
    ]
    st.markdown(f"**{plain(report['set'])}**: {', '.join(parts)}")  # not shown


def _drop(chosen: "Staging | None") -> None:
    files = file_drop(_("Files or a zip"), key=DROP)
    received = (
        {} if chosen is None else {entry.path: entry.sha256[:16] for entry in chosen.staged.values() if entry.path}
    )
    folder_drop(key_of_file_drop(DROP), received, largest_bytes=LIMITS.file_bytes, key="upload-folder")
    st.caption(_limits())
    if not files:
        return
    upload_id = None if chosen is None else chosen.upload.id
    try:
        with st.spinner(_("Saving …")):
            staging, n_new, n_known = uploads.receive(upload_id, ((file.name, file.getvalue()) for file in files))
        state.watch(state.UPLOAD, staging.upload.id)
        state.forget(PAUSED)
    finally:
        empty(files, key=DROP)
    if n_known:
        n = number(n_known)
        known = ngettext("{n} file was here already.", "{n} files were here already.", n_known).format(n=n)
        st.toast(known, icon=":material/content_copy:")
    if n_new:
        n = number(n_new)
        st.toast(ngettext("{n} file received.", "{n} files received.", n_new).format(n=n), icon=":material/check:")
    st.rerun()


def _limits() -> str:
    """Before anybody chooses files."""
    return _(
        "Recordings ({kinds}) of at most {seconds} s and {file} MB each, texts, tables; a zip of at most {zip} MB. At "
        "most {n} files and {total} GB in total. Nothing is imported until you press Import. Files that you leave here "
        "are deleted after {days} days."
    ).format(
        kinds=KINDS_IN_WORDS,
        seconds=number(MAX_DURATION_S),
        file=number(LIMITS.file_bytes // MIB),
        zip=number(st.get_option("server.maxUploadSize")),
        n=number(LIMITS.n_files),
        total=number(LIMITS.total_bytes / 1024 / MIB),
        days=number(LIMITS.days_kept),
    )


def _upload(staging: "Staging") -> None:
    if staging.upload.set:
        _import_begun(staging)
        return
    waiting = staging.waiting()
    if waiting and state.recall(PAUSED) != staging.upload.id:
        _check(staging, sum(arrival.size for arrival in waiting))
        st.rerun()
    if waiting:
        n = len(waiting)
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.info(
            ngettext("{n} file is not checked yet.", "{n} files are not checked yet.", n).format(n=number(n)),
            icon=":material/pause:",
        )
        right.button(_("Check them"), on_click=state.forget, args=(PAUSED,), icon=":material/play_arrow:")
    upload_review.review(staging)
    if _asks_to_discard(staging):
        st.rerun()


def _check(staging: "Staging", n_bytes: int) -> None:
    """With a button that stops it: whatever is pressed ends this run of the page at the next step of the bar."""
    st.caption(_("Checking {megabytes} MB …").format(megabytes=number(n_bytes / MIB, 1)))
    stop = st.empty()
    stop.button(
        _("Stop"), icon=":material/stop:", on_click=state.remember, args=(PAUSED, staging.upload.id), key="upload-stop"
    )
    shown_at = 0.0
    with progress_bar(_("Checking …")) as bar:

        def progress(done: int, total: int, name: str = "") -> None:
            nonlocal shown_at
            if done == total or time.monotonic() - shown_at > SHOWN_EVERY_S:
                shown_at = time.monotonic()
                words = _("{done} of {total}").format(done=number(done), total=number(total))
                bar(done, total, f"{words}: {name}")

        uploads.check(staging.upload.id, progress)


def _import_begun(staging: "Staging") -> None:
    """While it runs, its panel stands at the top of the page."""
    if uploads.is_importing(staging.upload.id):
        state.watch(state.JOB, staging.upload.run)
        st.info(
            _("These files are being imported as {name}.").format(name=plain(staging.upload.set)),
            icon=":material/hourglass_top:",
        )
        return
    n = next((set_.n_recordings for set_ in shared.sets() if set_.name == staging.upload.set), 0)
    imported = ngettext("{n} recording is in the set.", "{n} recordings are in the set.", n).format(n=number(n))
    st.warning(
        _("The import of {name} was not finished. {imported}").format(
            name=plain(staging.upload.set), imported=imported
        ),
        icon=":material/pause:",
    )
    with st.container(horizontal=True):
        if st.button(_("Resume"), type="primary", icon=":material/play_arrow:", key="upload-resume"):
            state.watch(state.JOB, uploads.resume_import(staging.upload.id).id)
            st.rerun()
        if _asks_to_discard(staging):
            st.rerun()


def _others(others: "list[Staging]") -> None:
    st.markdown(_("**Not imported yet**"))
    for staging in others:
        began = minute(utc_time(staging.upload.began_at))
        n = sum(bool(entry.path) for entry in staging.staged.values()) + len(staging.waiting())
        files = ngettext("{n} file", "{n} files", n).format(n=number(n))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{files} · {began} UTC · {plain(staging.upload.by)}", width="content")  # not shown
            st.button(
                _("Continue"), on_click=state.watch, args=(state.UPLOAD, staging.upload.id),
                key=f"continue-{staging.upload.id}", icon=":material/play_arrow:",
            )  # fmt: skip
            if _asks_to_discard(staging):
                st.rerun()


def _asks_to_discard(staging: "Staging") -> bool:
    question = _("The files that you sent will be permanently deleted from this server. Yours stay where they are.")
    if not confirm(_("Discard"), question, answer=_("Yes, discard them"), key=f"discard-{staging.upload.id}",
                   icon=":material/delete:"):  # fmt: skip
        return False
    uploads.discard(staging.upload.id)
    if state.watched(state.UPLOAD) == staging.upload.id:
        state.watch(state.UPLOAD, None)
    return True
