"""Step 4, trying it out: on a recording, on the live microphone or in the browser; with a judge of phones and the
owner's voice where they are asked."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.components.browser_detector import browser_detector
from dashboard.components.page import errors_in_words
from dashboard.components.recorder import recorder
from dashboard.markup import plain
from dashboard.sections.wakeword import owner
from dashboard.sections.wakeword.live import live_microphone
from dashboard.sections.wakeword.outdated import say_outdated
from dashboard.sections.wakeword.preset_field import preset_field
from dashboard.services import wakeword_detectors
from dashboard.services.wakeword_detectors import DetectorChoice
from pipeline.i18n import N_, _, number
from pipeline.runs import RunDirectory
from pipeline.runs.comparison import section_of

if TYPE_CHECKING:
    from pipeline.wakeword.file_detection import Detection

FILE, LIVE, BROWSER = "file", "live", "browser"
PHONES = "try-phones"  # begins the key of the field
SOURCES = {FILE: N_("Recording or file"), LIVE: N_("Live microphone"), BROWSER: N_("This browser")}


def draw(run: RunDirectory, word: str) -> None:
    """`word` is which one, of a detector of several."""
    left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
    source = left.segmented_control(
        _("Listen to"), list(SOURCES), default=FILE, required=True, format_func=lambda name: _(SOURCES[name]),
        key="try-way", wrap=True,
    )  # fmt: skip
    preset = preset_field(middle, key="try-preset")
    finished = wakeword_detectors.finished_run(run)
    learnt = None if finished.info.words else wakeword_detectors.learnt_word(finished.folder)
    key = f"{PHONES}-{run.id}"
    state.offer(key, "" if learnt is None else learnt.word)
    judged = source != BROWSER and (state.chosen(key) or "").strip()
    own = number(finished.info.of_word(word).threshold, 2)
    threshold = right.number_input(
        _("Threshold (logit)"), -50.0, 50.0, None, 0.5, key="try-threshold",
        placeholder=_("low, with a judge") if judged else own,
    )  # fmt: skip
    if source == BROWSER:
        _in_browser(run, threshold)
        return
    phones, name = _judges(key)
    choice = DetectorChoice(preset, threshold, word, phones, name)
    if source == LIVE:
        live_microphone(run, choice)
    else:
        audio = recorder(f"wakeword-{run.id}")
        place = st.empty()  # clears at once what the recording before gave
        with place.container(), errors_in_words():
            _recording(run, choice, audio)
    owner.draw()


def _judges(key: str) -> tuple[str, str]:
    """The word whose phones are to be heard (the field's key is `key`), and the owner; "" where nobody is asked."""
    left, right = st.columns(2, vertical_alignment="bottom")
    phones = left.text_input(
        _("Judge of phones"), max_chars=60, key=key, placeholder=_("not asked"),
        help=_(
            "Write the English word or phrase. A detection then counts only where the listener of the speech scorer "
            "hears the phones of this word. Empty: every detection counts."
        ),
    )  # fmt: skip
    name = right.selectbox(
        _("Owner's voice"), wakeword_detectors.owners(), index=None, key="try-owner", placeholder=_("any voice"),
        help=_("A detection then counts only in this voice. Enrol a voice below."),
    )  # fmt: skip
    return phones.strip(), name or ""


def _recording(run: RunDirectory, choice: DetectorChoice, audio: bytes | None) -> None:
    if audio is None:
        st.caption(
            _("To try the detector: say the word among other words, or upload a recording. Nothing of it is kept.")
        )
        return
    with st.spinner(_("Detecting …")):
        result = wakeword_detectors.detect(run, audio, choice)
    accepted = [detection for detection in result.detections if detection.is_accepted]
    rejected = [detection for detection in result.detections if not detection.is_accepted]
    if accepted:
        st.success(_("Detected at {times}.").format(times=_times(accepted)), icon=":material/hearing:")
    elif not rejected:
        best = max((window.vote for window in result.windows), default=float("-inf"))
        st.info(
            _("Not detected. The highest score was {best}, the threshold is {threshold}.").format(
                best=plain(number(best, 1)), threshold=plain(number(result.threshold, 1))
            )
        )
    _rejections(rejected)
    st.plotly_chart(
        detection_charts.score_trace(
            [window.end_s for window in result.windows], [window.score for window in result.windows],
            [detection.at_s for detection in accepted], result.threshold,
        ),
        key="try-trace",
    )  # fmt: skip


def _rejections(rejected: "list[Detection]") -> None:
    """What the detector took for the word, and the judge or the owner's voice did not."""
    judged = [detection for detection in rejected if detection.owner is None]
    others = [detection for detection in rejected if detection.owner is not None]
    if judged:
        st.info(
            _("The judge of phones rejected the detections at {times}.").format(times=_times(judged)),
            icon=":material/gavel:",
        )
    if others:
        st.info(
            _("Another voice than the owner's at {times}.").format(
                times=", ".join(
                    _("{n} s (similarity {similarity})").format(
                        n=number(detection.at_s, 1), similarity=number(detection.owner.similarity, 2)
                    )
                    for detection in others
                    if detection.owner is not None
                )
            ),
            icon=":material/person_off:",
        )


def _times(detections: "list[Detection]") -> str:
    return ", ".join(_("{n} s").format(n=number(detection.at_s, 1)) for detection in detections)


def _in_browser(run: RunDirectory, threshold: float | None) -> None:
    """As a device would hear it: the bundle's model, in the visitor's browser."""
    bundle = wakeword_detectors.bundle_of(run)
    if bundle is None or section_of(run.config, "model").get("name") == "stream":
        st.info(
            _("Make a bundle for a device under 5 Export first: the browser runs the model that the device would."),
            icon=":material/arrow_forward:",
        )
        return
    say_outdated(bundle, run)
    st.caption(_("The detector runs in your browser, as it would on the device. No sound is sent."))
    browser_detector(bundle, threshold, key=f"browser-{run.id}")
