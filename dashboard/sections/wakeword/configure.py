"""Step 2: what is trained, on what, and whether the device has room for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.choices import pick, turn_to
from dashboard.components.confirm import confirm
from dashboard.components.packages import say_missing
from dashboard.components.page import errors_in_words
from dashboard.components.run_form import last_fields, run_form
from dashboard.markup import plain
from dashboard.sections.wakeword import tuning
from dashboard.sections.wakeword.setting_fields import draw_fields, reset
from dashboard.sections.wakeword.speaker_field import speaker_field
from dashboard.sections.wakeword.steps import TRAINING, offer_step
from dashboard.services import wakeword_clips, wakeword_training
from pipeline.i18n import N_, _, joined, number, translated
from pipeline.presets import build, merged
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.devices import TARGETS
from pipeline.wakeword.planned_steps import steps_in_words

PRESET_HELP = N_(
    "default: about 20 minutes of one core. embedding: for few recordings, on a speech embedding that you have in a "
    "folder. small: for a microcontroller. esp32: for an ESP32 with ESPHome. "
    "thorough: three times as long. tiny: seconds, to try every step."
)
CHECK, CROSS = ":material/check:", ":material/close:"
PARTS = ("positive", "negative", "hard_negative", "noise", "rir")
SAVED = "wakeword-preset-saved"
START, CHECK_FIT, RATE, SEARCH, SAVE = "start", "check", "rate", "search", "save"


def draw(clips: ClipLibrary | None) -> None:
    if clips is None or not (clips.files("positive") or clips.has_spoken):
        st.info(_("Add or speak clips of the word under 1 Data first."), icon=":material/arrow_back:")
        return
    can_start = say_missing("wakeword")
    can_search = can_start and say_missing("wakeword-search")
    preset, of_it = _choose_preset()
    sets = wakeword_clips.speech_folders()
    with run_form("train-wakeword"):
        columns = st.columns([4, 6, 3, 5])
        others = columns[0].multiselect(
            _("More other speech"), list(sets), placeholder=_("Choose recording sets"),
            help=_("Recording sets, besides the word's folder of other speech. Do not evaluate on the same sets."),
        )  # fmt: skip
        name = columns[1].text_input(
            _("Name of the run"), placeholder=_("default: word, preset and seed"), max_chars=60
        )
        seed = columns[2].number_input(_("Seed"), 0, 2**31 - 1, 0)
        pattern = speaker_field(columns[3])
        known = [word for word in wakeword_clips.words() if word != clips.name]
        more = (
            st.multiselect(
                _("More words for the same detector"),
                known,
                placeholder=_("Choose words"),
                help=_("Each word gets an output, a threshold and figures of its own."),
            )
            if known
            else []
        )
        given = draw_fields(preset, of_it)
        last = last_fields("wakeword")
        with st.container(horizontal=True):
            pressed = {
                START: st.form_submit_button(
                    _("Start training"), type="primary", icon=":material/play_arrow:", disabled=not can_start
                ),
                CHECK_FIT: st.form_submit_button(_("Does it fit?"), icon=":material/scale:", disabled=not can_start),
                RATE: st.form_submit_button(
                    _("Find a learning rate"), icon=":material/show_chart:", disabled=not can_start,
                    help=_("A short run whose learning rate rises until the loss does."),
                ),
                SEARCH: st.form_submit_button(
                    _("Search"), icon=":material/manage_search:", disabled=not can_search,
                    help=_("Short trainings with other settings; the best are chosen on the validation clips."),
                ),
            }  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            trials = st.number_input(_("Trials of a search"), 2, 500, 20, width=150)
            trial_steps = st.number_input(_("Steps per trial"), 10, 10**5, 400, 50, width=150)
            as_name = st.text_input(_("Save the settings as"), max_chars=60, width=220)
            pressed[SAVE] = st.form_submit_button(_("Save preset"), icon=":material/save:")
    if any(pressed.values()):
        with errors_in_words():
            data = {
                "name": name.strip() or f"{'-'.join([clips.name, *more])}-{preset}-seed{seed}",
                "word": "" if more else clips.name,  # not shown
                "seed": int(seed),
                "data": _data([clips, *map(wakeword_clips.library, more)], sets, others),
                "data.source": pattern,  # not shown
            }
            config = build(WakewordConfig, merged(wakeword_training.preset(preset), given, data))
            if pressed[SAVE]:
                turn_to(state.PRESET, wakeword_training.save_preset(as_name, config))
                state.remember(SAVED, True)
                st.rerun()
            elif pressed[RATE]:
                wakeword_training.start_rate_range(config)
            elif pressed[SEARCH]:
                wakeword_training.start_search(config, int(trials), int(trial_steps))
            else:
                started = st.container()  # beside the button that was pressed, whatever the budget says below
                if _fits(config) and pressed[START]:
                    state.watch(state.RUN, wakeword_training.start_training(config, last.where))
                    text = _("The training has started.")
                    st.toast(text)
                    with started:
                        st.success(f"{text} {steps_in_words(config)}", icon=":material/check:")
                        offer_step(TRAINING)
    tuning.draw(clips, preset)


def _choose_preset() -> tuple[str, WakewordConfig]:
    """Its name and settings, with buttons to reset the fields and to delete a saved one."""
    names, saved = wakeword_training.presets(), wakeword_training.saved_presets()
    if state.recall(SAVED):
        state.forget(SAVED)
        st.toast(_("Saved."))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        preset = pick(
            _("Preset"), {name: name for name in names}, key=state.PRESET, show_label=True, help_=_(PRESET_HELP)
        )
        st.button(
            _("Reset"), icon=":material/restart_alt:", on_click=reset, help=_("All fields as the preset has them.")
        )
        if preset in saved and confirm(
            _("Delete preset"),
            _("**{preset}** will be deleted. Runs keep their settings.").format(preset=plain(preset)),
            answer=_("Yes, delete it"), key=f"delete-preset-{preset}", icon=":material/delete:",
        ):  # fmt: skip
            wakeword_training.delete_preset(preset)
            st.rerun()
    config = build(WakewordConfig, wakeword_training.preset(preset))
    # The fields below are a form's, so that nothing is known of a change in them until the form is sent.
    st.caption(_("The preset has {steps}").format(steps=steps_in_words(config)))
    return preset, config


def _device(name: str) -> str:
    return _(TARGETS[name].title)


def _data(words: Sequence[ClipLibrary], sets: Mapping[str, Path], others: list[str]) -> dict[str, Any]:
    """The folders of one word, or of several; what they have of other speech, noise and rooms serves all."""
    folders = {
        part: [str(clips.folder(part)) for clips in words if clips.files(part)] for part in PARTS if part != "positive"
    }
    positive = [
        (clips.name, str(folder))
        for clips in words
        for folder, is_there in (
            (clips.folder("positive"), bool(clips.files("positive"))), (clips.spoken, clips.has_spoken),
        )
        if is_there
    ]  # fmt: skip
    folders["negative"] += [str(sets[name]) for name in others]
    names = {"words": [name for name, _folder in positive]} if len(words) > 1 else {}
    return {**folders, "positive": [folder for _name, folder in positive], **names}


def _fits(config: WakewordConfig) -> bool:
    """Draw the budget; whether the chosen device has room."""
    budget, beyond = wakeword_training.budget(config)
    columns = st.columns(4)
    columns[0].metric(_("Parameters"), number(budget.parameters))
    columns[1].metric(_("Multiplications per window"), _("{n} M").format(n=number(budget.macs / 1e6, 2)))
    columns[2].metric(_("Flash"), _("{n} kB").format(n=number(budget.flash_kb)))
    columns[3].metric(_("Memory"), _("{n} kB").format(n=number(budget.ram_kb)))
    if config.features.kind == "embedding":
        st.caption(_("Besides these, the device runs the speech embedding, whose network is not counted."))
    for name, lacking in beyond.items():
        device = plain(_device(name))
        if lacking:
            text = _("**{device}** is too small: needs {needs}").format(
                device=device, needs=plain(translated(joined(lacking)))
            )
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
