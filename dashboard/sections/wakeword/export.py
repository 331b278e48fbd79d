"""Step 5: the detector for other runtimes, its card, and the second opinion."""

from pathlib import Path

import streamlit as st

from dashboard.components.job_panel import job_panel
from dashboard.components.page import errors_in_words
from dashboard.components.run_list import stored
from dashboard.markup import document
from dashboard.services import wakeword as wakewords
from pipeline import artifacts
from pipeline.optional import is_there
from pipeline.runs import ACTIVE, RunDirectory
from pipeline.wakeword.finished_run import EXPORTS
from pipeline.wakeword.packaging.export import REPORT
from pipeline.wakeword.runtime.model_files import CARD


def draw(run: RunDirectory) -> None:
    if run.state.status != "finished":
        st.info("This detector is not trained to the end yet; see 3 Training.", icon=":material/arrow_back:")
        return
    one = wakewords.trained(run)
    folder = one.home / EXPORTS
    made = (folder / REPORT).is_file()
    if not is_there("onnx"):
        st.info("ONNX and INT8 need the package onnx: pip install onnx. TorchScript is written without it.")
    label = "Export again" if made else "Export to ONNX, TorchScript and INT8"
    if st.button(label, type="secondary" if made else "primary", icon=":material/deployed_code:"):
        wakewords.start_work("export", run)
        st.rerun()
    job = wakewords.last_work("export", run)
    if job is not None and job.state.status in (*ACTIVE, "failed", "lost"):
        job_panel(job.directory)
    if made:
        with errors_in_words(), stored(f"The exports of {run.id}"):
            _formats(folder)
    with st.expander("Model card", icon=":material/description:"):
        card = one.folder / CARD
        st.markdown(document(card.read_text(encoding="utf-8")) if card.is_file() else "This model came without a card.")
    with st.expander("A second opinion", icon=":material/gavel:"):
        st.markdown(
            "A small detector listens all the time; a larger one is asked about what it lets through. Serve the larger "
            "one as the judge, and name it to the small one:"
        )
        st.code(
            f"pronlab wakeword judge {run.id} --port 8602\n"
            "pronlab wakeword detect SMALL_RUN recording.wav --judge http://127.0.0.1:8602",
            language="bash",
        )
        st.caption(
            "`POST /verify` takes a clip as multipart form data (field audio); `pipeline/wakeword/Containerfile` packs "
            "it."
        )


def _formats(folder: Path) -> None:
    rows = artifacts.read_json(folder / REPORT)
    st.dataframe(
        [
            {
                "Format": r["format"], "Size (kB)": round(r["size_kb"]),
                "Largest difference (logit)": f"{r['largest_difference']:.2g}",
                "Same side of the threshold": f"{r['same_side']:.1%} of {r['n']}",
                "A window (ms)": f"{r['median_ms']:.2f}", "95 % (ms)": f"{r['p95_ms']:.2f}",
            }
            for r in rows
        ],
        hide_index=True,
    )  # fmt: skip
    st.caption("Held against the model on real windows of the validation clips; times for a single window on one core.")
    with st.container(horizontal=True):
        for row in rows:
            file = folder / row["file"]
            if file.is_file():
                st.download_button(row["format"], file.read_bytes(), file.name, icon=":material/download:")
