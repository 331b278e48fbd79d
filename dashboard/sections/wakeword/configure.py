"""Step 2: what is trained, on what, and whether the device has room for it."""

from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields
from dashboard.markup import plain
from dashboard.sections.wakeword.clips import choose_word
from dashboard.services import wakeword as wakewords
from pipeline.wakeword.config import MODELS, WakewordConfig, list_presets, load_preset
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.devices import TARGETS

PRESET_HELP = (
    "default: about ten minutes on two cores. small: for a microcontroller. thorough: three times as long. "
    "tiny: seconds, to see the way through."
)


def draw() -> None:
    words = choose_word()
    if words is None or not words.files("positive"):
        st.info("First bring clips of the word under 1 Data.", icon=":material/arrow_back:")
        return
    sets = wakewords.speech_folders()
    with st.form("train-wakeword", border=False):
        left, right = st.columns(2)
        preset = left.selectbox("Preset", list_presets(), index=0, help=PRESET_HELP)
        others = right.multiselect(
            "Other speech, besides the word's own folder", list(sets),
            help="Recording sets of this installation. Do not evaluate on the same ones.",
        )  # fmt: skip
        columns = st.columns(4)
        model = columns[0].selectbox("Model", MODELS, None, placeholder="the preset's")
        width = columns[1].number_input(
            "Width", 0.1, 8.0, None, 0.1, placeholder="the preset's", help="Factor on channels."
        )
        target = columns[2].selectbox(
            "Must fit", list(TARGETS), None, format_func=lambda name: TARGETS[name].title, placeholder="the preset's"
        )
        fah = columns[3].number_input("False alarms an hour", 0.0, 100.0, 0.5, 0.1)
        columns = st.columns(4)
        steps = columns[0].number_input("Steps", 1, 10**6, None, placeholder="the preset's")
        seed = columns[1].number_input("Seed", 0, 2**31 - 1, 0)
        name = columns[2].text_input("Name of the run", placeholder=words.name, max_chars=60)
        pattern = columns[3].text_input("Speaker in the path", placeholder="(speaker[0-9]+)_")
        last = last_fields("wakeword", "train.hard_negative=2\naugment.context=0.7\nloss.name=focal")
        with st.container(horizontal=True):
            submitted = st.form_submit_button("Start training", type="primary", icon=":material/play_arrow:")
            weighed = st.form_submit_button("Does it fit?", icon=":material/scale:")
    if not (submitted or weighed):
        return
    with errors_in_words():
        given = {
            "name": name.strip() or f"{words.name}-{preset}-seed{seed}", "seed": int(seed),
            "data": _data(words, sets, others), "data.source": pattern.strip(), "detector.target_fah": float(fah),
        }  # fmt: skip
        chosen = {"model.name": model, "model.width": width, "model.target": target, "train.steps": steps}
        given |= {key: value for key, value in chosen.items() if value is not None}
        config = configured(WakewordConfig, load_preset(preset), given, last)
        if not _fits(config) or weighed:
            return
        state.choose(state.RUN, wakewords.start_training(config, last.where))
        st.success("The training has started. It is under 3 Training.", icon=":material/check:")


def _data(words: ClipLibrary, sets: dict[str, Any], others: list[str]) -> dict[str, Any]:
    own = {part: [str(words.folder(part))] for part in ("positive", "negative", "hard_negative", "noise", "rir")}
    given = {part: folder for part, folder in own.items() if words.files(part)}
    negative = [*given.get("negative", []), *(str(sets[name]) for name in others)]
    return {**given, "negative": negative}


def _fits(config: WakewordConfig) -> bool:
    """Draw the budget; whether the chosen target has room."""
    budget, beyond = wakewords.budget(config)
    columns = st.columns(4)
    columns[0].metric("Parameters", f"{budget.parameters:,}")
    columns[1].metric("Multiplications a window", f"{budget.macs / 1e6:.2f} M")
    columns[2].metric("Flash", f"{budget.flash_kb:.0f} kB")
    columns[3].metric("Memory", f"{budget.ram_kb:.0f} kB")
    for title, why in beyond.items():
        if why:
            st.markdown(f":material/close: **{plain(title)}**: needs {plain('; '.join(why))}")
        else:
            st.markdown(f":material/check: **{plain(title)}** has room for it")
    lacking = beyond[TARGETS[config.model.target].title]
    if lacking:
        st.error(
            "It does not fit the device it is meant for. Choose a narrower model, INT8 weights (model.int8=true) or "
            "another device.", icon=":material/memory:",
        )  # fmt: skip
    return not lacking
