"""Step 5: the detector for other runtimes, its card, and a second opinion."""

from pathlib import Path

import streamlit as st

from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.report_files import download_json
from dashboard.components.run_list import stored
from dashboard.components.tables import fitted
from dashboard.markup import document, message, plain
from dashboard.sections.wakeword.outdated import say_outdated
from dashboard.sections.wakeword.threshold import all_rest_on
from dashboard.services import wakeword_detectors
from pipeline import artifacts
from pipeline.i18n import N_, _, number, percent, significant
from pipeline.optional import needs
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.runs.comparison import section_of
from pipeline.wakeword.file_names import BUNDLE, CARD, EXPORT_REPORT, EXPORTS
from pipeline.wakeword.phones import english_word


def draw(run: RunDirectory) -> None:
    if run.state.status != "finished":
        st.info(_("The training of this detector is not finished: see 3 Training."), icon=":material/arrow_back:")
        return
    finished = wakeword_detectors.finished_run(run)
    folder = finished.home / EXPORTS
    exported = (folder / EXPORT_REPORT).is_file()
    without_onnx = needs(N_("The export as ONNX and INT8"), ("onnx",))
    if without_onnx is not None:
        rest = _("TorchScript is written without it.")
        st.info(f"{message(without_onnx)} {rest}", icon=":material/download:")
    label = _("Export again") if exported else _("Export to ONNX, TorchScript and INT8")
    if st.button(label, type="secondary" if exported else "primary", icon=":material/deployed_code:"):
        wakeword_detectors.start_work("export", run)
        st.rerun()
    bases = finished.info.bases
    if bases:
        st.caption(
            all_rest_on(bases)
            + " "
            + _("An export first sets it on a long stream of validation clips and noise, unless a stream has set it.")
        )
    is_esp32 = section_of(run.config, "model").get("name") == "stream"
    learnt = None if is_esp32 or finished.info.words else _judge_of_phones(run, finished.folder)
    _bundle(run, is_esp32, learnt)
    job = wakeword_detectors.last_work("export", run)
    if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
        job_panel(job.directory)
    if exported:
        with errors_in_words(), stored(_("The exports of {run}").format(run=run.id)):
            _formats(folder)
    with st.expander(_("Model card"), icon=":material/description:"):
        card = finished.folder / CARD
        if card.is_file():
            text = card.read_text(encoding="utf-8")
            st.markdown(document(text))
            st.download_button(_("Download the card"), text, f"{run.id}.md", icon=":material/download:")
        else:
            st.markdown(_("This model has no card."))
    with st.expander(_("Second opinion"), icon=":material/gavel:"):
        st.markdown(
            _(
                "A small detector runs all the time, and a larger one verifies its detections. Serve the larger one, "
                "and give its address to the small one:"
            )
        )
        commands = (
            f"pronlab wakeword judge {run.id} --port 8602",  # not shown
            "pronlab wakeword detect SMALL_RUN recording.wav --judge http://127.0.0.1:8602",  # not shown
        )
        st.code("\n".join(commands), language="bash", wrap_lines=True)
        st.caption(
            _(
                "`POST /verify` takes a clip as multipart form data (field audio). "
                "`containers/judge.Containerfile` puts it in a container."
            )
        )
        st.markdown(
            _(
                "Where Pronlab is installed, a bundle without its own judge of phones can be asked to use the one "
                "here. A voice that was enrolled under 4 Evaluation, **Try it**, can be asked for "
                "too:"
            )
        )
        command = "pronlab wakeword listen BUNDLE.zip --phones WORD --owner NAME"  # not shown
        st.code(command, language="bash", wrap_lines=True)


def _judge_of_phones(run: RunDirectory, folder: Path) -> str | None:
    """Learn the English word for the judge; the word that has been learnt, None where none has."""
    learnt = wakeword_detectors.learnt_word(folder)
    job = wakeword_detectors.last_work("learn-phones", run)
    active = job is not None and job.state.status in ACTIVE
    label = _("Judge of phones") if learnt is None else _("Judge of phones: “{word}”").format(word=plain(learnt.word))
    with st.expander(label, icon=":material/hearing:", expanded=active):
        st.markdown(
            _(
                "An English word can have a judge: the listener of the speech scorer learns how the clips of the "
                "training say its phones, and confirms each detection. Near phrases set it off less, and a detector "
                "from few or synthetic clips misses fewer words. It takes 26 MB more and about 1% of a core."
            )
        )
        if learnt is not None:
            kinds = learnt.learnt_from
            counts = {name: number(n) for name, n in vars(kinds).items()}
            st.caption(
                _(
                    "Learnt from {recordings} recordings and {synthetic} synthetic clips of the word, {near} near "
                    "phrases and {other} stretches of other speech."
                ).format(**counts)
            )
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        word = left.text_input(
            _("English word"), "" if learnt is None else learnt.word, max_chars=60, key=f"learn-{run.id}"
        )
        if right.button(
            _("Learn it"), icon=":material/hearing:", disabled=active, width="stretch",
            help=_("Takes two to four minutes of one core."),
        ):  # fmt: skip
            with errors_in_words():
                wakeword_detectors.start_work("learn-phones", run, "--", english_word(word))
                st.rerun()
        if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
            job_panel(job.directory)
    return None if learnt is None else learnt.word


def _bundle(run: RunDirectory, is_esp32: bool, learnt: str | None) -> None:
    """Make the zip for a device, and download it."""
    bundle = wakeword_detectors.bundle_of(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        label = _("Bundle for an ESP32") if is_esp32 else _("Bundle for a device")
        make = st.button(
            label, icon=":material/memory:",
            help=_("One zip: a model from sound to score with its settings and a runner; for an ESP32, TensorFlow Lite "
                   "with ESPHome's manifest and a C array."),
        )  # fmt: skip
        judged = learnt is not None and st.checkbox(
            _("With its judge of phones"), value=True,
            help=_("The runner then asks the judge about each detection: 26 MB more, numpy and onnxruntime as before."),
        )  # fmt: skip
        if make:
            judge = [] if learnt is None else ["--phones", learnt] if judged else ["--no-phones"]
            options = ["--esp32"] if is_esp32 else judge
            file = wakeword_detectors.finished_run(run).home / EXPORTS / BUNDLE
            wakeword_detectors.start_work("export", run, "--bundle", str(file), *options)
            st.rerun()
        if bundle is not None:
            name = f"{run.id}.zip"
            st.download_button(_("Download the bundle"), bundle.read_bytes(), name, icon=":material/download:")
    if bundle is not None:
        say_outdated(bundle, run)


def _formats(folder: Path) -> None:
    rows = artifacts.read_json(folder / EXPORT_REPORT)
    size, median, p95 = _("Size (kB)"), _("Median (ms)"), _("95% (ms)")
    difference, same = _("Difference (logit)"), _("Same decision")
    fitted(
        [
            {
                _("Format"): row["format"], size: number(row["size_kb"]), median: number(row["median_ms"], 2),
                p95: number(row["p95_ms"], 2), difference: significant(row["largest_difference"]),
                same: _("{share} of {n}").format(share=percent(row["same_side"], 1), n=number(row["n"])),
            }
            for row in rows
        ],
        right=(size, median, p95, difference),
    )  # fmt: skip
    st.caption(
        _(
            "Compared with the model on real windows of the validation clips: the largest difference of a score, and "
            "the share of equal decisions. Times are for one window on one core."
        )
    )
    with st.container(horizontal=True):
        for row in rows:
            file = folder / row["file"]
            if file.is_file():
                st.download_button(row["format"], file.read_bytes(), file.name, icon=":material/download:")
        download_json(rows, f"export-{folder.parent.name}")
