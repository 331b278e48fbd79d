"""Step 1: the clips of a word; what is wrong with them, and how they sound when training varies them."""

import streamlit as st

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.components.confirm import confirm
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import UPLOAD_TYPES
from dashboard.markup import plain
from dashboard.services import wakeword as wakewords
from pipeline.audio.load import MAX_UPLOAD_BYTES
from pipeline.wakeword.data.clip_library import PARTS, ClipLibrary
from pipeline.wakeword.data.clips import ClipScan

TITLES = {
    "positive": "The word", "negative": "Other speech", "hard_negative": "What sounds like it", "noise": "Noise",
    "rir": "Room impulse responses", "evaluation/positive": "The word, to evaluate on",
    "evaluation/background": "Speech to evaluate on", "evaluation/noise": "Noise to evaluate with",
    "evaluation/near": "Near phrases to evaluate on",
}  # fmt: skip
SHOWN = 12
PREVIEWS = 3


def choose_word() -> ClipLibrary | None:
    """The collection that the page is about; None while there is none."""
    known = wakewords.words()
    if not known:
        return None
    if state.chosen(state.WAKE_WORD) not in known:
        state.choose(state.WAKE_WORD, known[0])
    name = st.selectbox("Word", known, key=state.WAKE_WORD, bind="query-params")
    return wakewords.collection(name)


def draw() -> None:
    words = choose_word()
    with st.expander("New word", icon=":material/add:", expanded=words is None):
        _new_word()
    if words is None:
        st.info(
            "There are no clips of any word yet. Name one above and upload recordings of it, or copy folders with "
            "`pronlab wakeword add WORD --positive FOLDER --negative FOLDER`.",
            icon=":material/upload:",
        )
        return
    _counts(words)
    _add(words)
    _check(words)
    _evaluation_part(words)
    _hear(words)


def _new_word() -> None:
    with st.form("new-word", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the word", placeholder="computer", max_chars=60)
        made = st.form_submit_button("Create", icon=":material/add:")
    if made:
        with errors_in_words():
            created = wakewords.collection(name, create=True)
            st.query_params[state.WAKE_WORD] = created.name
            st.rerun()


def _counts(words: ClipLibrary) -> None:
    counts = words.counts
    st.dataframe(
        [{"Clips": TITLES[part], "Files": n, "Folder": part} for part, n in counts.items() if n or part in PARTS[:2]],
        hide_index=True,
    )
    if counts["positive"] and not counts["negative"]:
        st.caption(
            "Other speech may also come from recording sets of this installation: choose them under 2 Configuration."
        )


def _add(words: ClipLibrary) -> None:
    with st.expander("Add clips", icon=":material/upload:", expanded=not any(words.counts.values())):
        part = st.selectbox("What are they?", PARTS, format_func=TITLES.__getitem__, key="wakeword-part")
        files = st.file_uploader(
            "Files", type=UPLOAD_TYPES, accept_multiple_files=True, key=f"wakeword-files-{state.recall('added', 0)}",
            max_upload_size=MAX_UPLOAD_BYTES // 2**20,
        )  # fmt: skip
        said = st.audio_input("Or say it", sample_rate=16_000, key=f"wakeword-said-{state.recall('added', 0)}")
        given = [(file.name, file.getvalue()) for file in files or []]
        given += [(f"recorded-{len(words.files(part)) + 1:03}.wav", said.getvalue())] if said else []
        if given and st.button(f"Keep {len(given)}", type="primary", icon=":material/save:"):
            bar = st.progress(0.0)
            refused = 0
            for number, (name, content) in enumerate(given):
                with errors_in_words():
                    refused += 1
                    words.add(part, name, content)
                    refused -= 1
                bar.progress((number + 1) / len(given), text=f"{number + 1} of {len(given)}")
            if refused:
                st.warning(f"{len(given) - refused} are kept, {refused} were refused for the reasons above.")
                return
            state.remember("added", state.recall("added", 0) + 1)
            st.toast(f"{len(given)} clips are kept.")
            st.rerun()


def _check(words: ClipLibrary) -> None:
    st.subheader("Check")
    pattern = st.text_input(
        "Which part of a path names the speaker?", key="wakeword-source", placeholder="(speaker[0-9]+)_",
        help="A regular expression; its first group is the speaker, who stays on one side of a split. Empty: each file "
        "counts as its own.",
    )  # fmt: skip
    if st.button("Check the clips", icon=":material/fact_check:", disabled=not words.files("positive")):
        bar = st.progress(0.0)
        state.remember(
            f"scan-{words.name}",
            wakewords.scan(words, pattern, lambda done, n, _: bar.progress(done / n, text=f"{done} of {n}")),
        )
        bar.empty()
    scan: ClipScan | None = state.recall(f"scan-{words.name}")
    if scan is None:
        st.caption("Reads every clip: what cannot be used, what is there twice, how long they are.")
        return
    st.dataframe(
        [
            {
                "Class": TITLES[label], "Clips": s.clips, "Hours": round(s.hours, 2),
                "Shortest (s)": round(s.shortest_s, 2), "Median (s)": round(s.median_s, 2),
                "Longest (s)": round(s.longest_s, 2), "Speakers or files": s.sources,
            }
            for label, s in scan.statistics.items()
        ],
        hide_index=True,
    )  # fmt: skip
    for paths in scan.duplicates[:SHOWN]:
        st.caption(plain(f"The same sound: {', '.join(paths)}"))
    if not scan.bad:
        st.success(f"All {len(scan.clips)} clips can be used.", icon=":material/check:")
        return
    st.warning(f"{len(scan.bad)} clips cannot be used:", icon=":material/warning:")
    st.dataframe(
        [{"Clip": clip.path, "Why": "; ".join(p.message for p in clip.problems)} for clip in scan.bad], hide_index=True
    )
    if confirm(
        "Move them aside", f"{len(scan.bad)} clips go to the folder **quarantine** of this word, with the reasons. "
        "Nothing is deleted.", answer="Move them", key=f"quarantine-{words.name}", icon=":material/folder_off:",
    ):  # fmt: skip
        moved = words.quarantine(scan)
        state.forget(f"scan-{words.name}")
        st.toast(f"{len(moved)} clips are in quarantine.")
        st.rerun()


def _evaluation_part(words: ClipLibrary) -> None:
    st.subheader("Kept for evaluation")
    n, kept = len(words.files("positive")), len(words.files("evaluation/positive"))
    st.caption(
        f"{kept} of {n + kept} clips of the word are kept for evaluation and never learnt from. Without any, nobody "
        "knows how good the detector is."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        share = st.slider("Share to set aside (%)", 5, 60, 30, 5, key="wakeword-share")
        if st.button("Set aside", icon=":material/call_split:", disabled=not n):
            st.toast(f"{words.set_aside(share / 100)} clips are set aside.")
            st.rerun()
        if st.button("Take all back", icon=":material/undo:", disabled=not kept):
            st.toast(f"{words.take_back()} clips are back.")
            st.rerun()


def _hear(words: ClipLibrary) -> None:
    st.subheader("Hear what training hears")
    files = words.files("positive")
    if not files:
        st.caption("Once there are clips of the word, their variations can be heard here.")
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox("Clip", files, format_func=lambda path: path.name, key="wakeword-clip")
    if right.button("Vary it", icon=":material/casino:", key="wakeword-vary"):
        state.remember("vary-seed", state.recall("vary-seed", 0) + 1)
    seed = state.recall("vary-seed")
    if seed is None:
        return
    with st.spinner("Rendering …"):
        found = wakewords.previews(words, chosen, PREVIEWS, seed)
    for number, (column, preview) in enumerate(zip(st.columns(len(found)), found, strict=True)):
        with column:
            st.caption("As it is" if number == 0 else f"Variation {number}")
            st.audio(preview.wav, format="audio/wav")
            st.plotly_chart(
                detection_charts.log_mel_image(preview.frames, preview.hop_s), key=f"vary-{seed}-{number}",
                config={"displayModeBar": False},
            )  # fmt: skip
