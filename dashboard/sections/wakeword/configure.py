"""Step 2: what is trained, on what, and whether the device has room for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import configured, last_fields
from dashboard.markup import plain
from dashboard.services import wakeword
from pipeline.i18n import N_, _, ngettext, number
from pipeline.presets import build
from pipeline.wakeword.config import MODELS, WakewordConfig, list_presets, load_preset
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.devices import TARGETS

PRESET_HELP = N_(
    "default: about ten minutes on two cores. small: for a microcontroller. esp32: for an ESP32 with ESPHome. "
    "thorough: three times as long. tiny: seconds, to try every step."
)
EXAMPLE = "train.hard_negative=2\naugment.context=0.7\nloss.name=focal"  # not shown
CHECK, CROSS = ":material/check:", ":material/close:"
PARTS = ("positive", "negative", "hard_negative", "noise", "rir")


def draw(clips: ClipLibrary | None) -> None:
    if clips is None or not (clips.files("positive") or clips.has_spoken):
        st.info(_("Add or speak clips of the word under 1 Data first."), icon=":material/arrow_back:")
        return
    sets = wakeword.speech_folders()
    of_preset = _("from the preset")
    left, right = st.columns(2, vertical_alignment="bottom")
    preset = left.selectbox(_("Preset"), list_presets(), index=0, help=_(PRESET_HELP))
    of_it = build(WakewordConfig, load_preset(preset))
    right.caption(_steps_in_words(of_it))
    with st.form("train-wakeword", border=False):
        right = st.container()
        others = right.multiselect(
            _("More other speech"), list(sets), placeholder=_("Choose recording sets"),
            help=_("Recording sets, besides the word's folder of other speech. Do not evaluate on the same sets."),
        )  # fmt: skip
        columns = st.columns(4)
        model = columns[0].selectbox(_("Model"), MODELS, None, placeholder=of_preset)
        width = columns[1].number_input(
            _("Width"), 0.1, 8.0, None, 0.1, placeholder=of_preset, help=_("Factor on the number of channels.")
        )
        target = columns[2].selectbox(
            _("Device"), list(TARGETS), None, format_func=_device, placeholder=of_preset,
            help=_("The device that the detector must fit."),
        )  # fmt: skip
        fah = columns[3].number_input(_("False alarms per hour"), 0.0, 100.0, 0.5, 0.1)
        columns = st.columns(4)
        steps = columns[0].number_input(
            _("Steps"), 1, 10**6, None, placeholder=number(of_it.train.steps),
            help=_("Steps of the first pass. Mining and quantisation-aware steps follow it."),
        )  # fmt: skip
        seed = columns[1].number_input(_("Seed"), 0, 2**31 - 1, 0)
        name = columns[2].text_input(_("Name of the run"), placeholder=clips.name, max_chars=60)
        pattern = columns[3].text_input(_("Speaker in the path"), placeholder="(speaker[0-9]+)_")
        last = last_fields("wakeword", EXAMPLE)
        with st.container(horizontal=True):
            submitted = st.form_submit_button(_("Start training"), type="primary", icon=":material/play_arrow:")
            checked = st.form_submit_button(_("Check fit"), icon=":material/scale:")
    if not (submitted or checked):
        return
    with errors_in_words():
        fields = {
            "name": name.strip() or f"{clips.name}-{preset}-seed{seed}",
            "seed": int(seed),
            "data": _data(clips, sets, others),
            "data.source": pattern.strip(),  # not shown
            "detector.target_fah": float(fah),  # not shown
        }
        optional = {
            "model.name": model,  # not shown
            "model.width": width,  # not shown
            "model.target": target,  # not shown
            "train.steps": steps,  # not shown
        }
        fields |= {key: value for key, value in optional.items() if value is not None}
        config = configured(WakewordConfig, load_preset(preset), fields, last)
        if not _fits(config) or checked:
            return
        state.watch(state.RUN, wakeword.start_training(config, last.where))
        st.success(_("The training has started. Follow it under 3 Training."), icon=":material/check:")


def _steps_in_words(config: WakewordConfig) -> str:
    """All steps that the preset runs: the first pass, after each mining, and on the 8-bit grid."""
    train, mining = config.train, config.mining
    parts = [_("{n} in the first pass").format(n=number(train.steps))]
    if mining.rounds:
        rounds = ngettext("{n} after mining, {rounds} time", "{n} after mining, {rounds} times", mining.rounds)
        parts.append(rounds.format(n=number(mining.steps), rounds=number(mining.rounds)))
    if train.qat_steps:
        parts.append(_("{n} on the 8-bit grid").format(n=number(train.qat_steps)))
    total = train.steps + mining.rounds * mining.steps + train.qat_steps
    return _("{n} steps: {parts}.").format(n=number(total), parts="; ".join(parts))


def _device(name: str) -> str:
    return _(TARGETS[name].title)


def _data(clips: ClipLibrary, sets: Mapping[str, Path], others: list[str]) -> dict[str, Any]:
    folders = {part: [str(clips.folder(part))] for part in PARTS if clips.files(part)}
    if clips.has_spoken:
        folders["positive"] = [*folders.get("positive", []), str(clips.spoken)]
    negative = [*folders.get("negative", []), *(str(sets[name]) for name in others)]
    return {**folders, "negative": negative}


def _fits(config: WakewordConfig) -> bool:
    """Draw the budget; whether the chosen device has room."""
    budget, beyond = wakeword.budget(config)
    columns = st.columns(4)
    columns[0].metric(_("Parameters"), number(budget.parameters))
    columns[1].metric(_("Multiplications per window"), _("{n} M").format(n=number(budget.macs / 1e6, 2)))
    columns[2].metric(_("Flash"), _("{n} kB").format(n=number(budget.flash_kb)))
    columns[3].metric(_("Memory"), _("{n} kB").format(n=number(budget.ram_kb)))
    for name, lacking in beyond.items():
        device = plain(_device(name))
        if lacking:
            text = _("**{device}** is too small: needs {needs}").format(device=device, needs=plain("; ".join(lacking)))
        else:
            text = _("**{device}** has room for it").format(device=device)
        st.markdown(f"{CROSS if lacking else CHECK} {text}")
    if beyond[config.model.target]:
        st.error(
            _(
                "The model does not fit {device}. Choose a narrower model, INT8 weights (model.int8=true) or another "
                "device."
            ).format(device=plain(_device(config.model.target))),
            icon=":material/memory:",
        )
        return False
    return True
