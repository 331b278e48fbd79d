"""Step 1, what training makes of the clips: one clip varied, a batch, and the features of each class."""

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.charts import detection_charts
from dashboard.services import wakeword_clips
from pipeline.i18n import N_, _, number
from pipeline.wakeword.data.clip_library import ClipLibrary
from pipeline.wakeword.data.clips import Label

PREVIEWS = 3
IN_BATCH = 8
COLUMNS = 4
CLASSES = {
    Label.POSITIVE: N_("The word"), Label.NEGATIVE: N_("Other speech"),
    Label.HARD_NEGATIVE: N_("Similar-sounding speech"),
}  # fmt: skip
NO_BAR = {"displayModeBar": False}  # not shown


def draw(clips: ClipLibrary) -> None:
    words, others = clips.learnt_from(Label.POSITIVE), clips.learnt_from(Label.NEGATIVE)
    if not words:
        return
    st.header(_("Variations in training"))
    one, batch, features = st.tabs([_("One clip"), _("A batch"), _("Features")])
    with one:
        _variations(clips, words)
    with batch:
        seed = _drawn("batch", _("Draw a batch"), clips, bool(others))
        if seed is None:
            st.caption(
                _(
                    "Listen to windows as the network gets them, in the shares of a batch, with what is masked. Pieces "
                    "of the word count as similar-sounding speech."
                )
            )
        else:
            _batch(clips, seed)
    with features:
        seed = _drawn("features", _("Measure features"), clips, bool(others))
        if seed is None:
            st.caption(_("Compare the features of the classes: a band that says the same in all of them is no use."))
        else:
            _features(clips, seed)


def _drawn(name: str, label: str, clips: ClipLibrary, is_possible: bool) -> int | None:
    """A button that draws anew; the seed of the last draw, None before the first."""
    key = f"{name}-seed-{clips.name}"
    if st.button(label, icon=":material/casino:", key=f"wakeword-{name}", disabled=not is_possible):
        state.remember(key, state.recall(key, 0) + 1)
    seed: int | None = state.recall(key)
    return seed


def _batch(clips: ClipLibrary, seed: int) -> None:
    with st.spinner(_("Rendering …")):
        windows = wakeword_clips.batch(clips, IN_BATCH, seed).windows
    for start in range(0, len(windows), COLUMNS):
        for index, column in enumerate(st.columns(COLUMNS), start=start):
            with column:
                window = windows[index]
                st.markdown(f"**{_(CLASSES[window.label])}**")
                st.audio(window.wav, format="audio/wav")
                st.plotly_chart(
                    detection_charts.log_mel_image(window.frames, window.hop_s), key=f"batch-{seed}-{index}",
                    config=NO_BAR,
                )  # fmt: skip


def _short_name(path: Path) -> str:
    """The synthetic ones are numbered in each voice's folder."""
    return path.name if path.parent.name == Label.POSITIVE else f"{path.parent.name}/{path.name}"


def _features(clips: ClipLibrary, seed: int) -> None:
    with st.spinner(_("Rendering …")):
        statistics = wakeword_clips.batch(clips, 5 * IN_BATCH, seed).statistics
    named = {_(CLASSES[label]): of_class for label, of_class in statistics.items()}
    st.plotly_chart(detection_charts.feature_bands(named), key=f"features-{seed}")
    st.caption(_("Mean of each band, and one standard deviation to both sides, before they are normalised."))


def _variations(clips: ClipLibrary, words: list[Path]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Clip"), words, format_func=_short_name, key=f"wakeword-clip-{clips.name}",
            label_visibility="collapsed",
        )  # fmt: skip
        if st.button(_("Vary"), icon=":material/casino:", key="wakeword-vary"):
            state.remember("vary-seed", state.recall("vary-seed", 0) + 1)
    seed = state.recall("vary-seed")
    if seed is None:
        st.caption(_("Listen to a clip as training varies it: speed, pitch, noise, rooms and other speech."))
        return
    with st.spinner(_("Rendering …")):
        previews = wakeword_clips.previews(clips, chosen, PREVIEWS, seed)
    for index, (column, preview) in enumerate(zip(st.columns(len(previews)), previews, strict=True)):
        with column:
            st.caption(_("Original") if index == 0 else _("Variation {n}").format(n=number(index)))
            st.audio(preview.wav, format="audio/wav")
            st.plotly_chart(
                detection_charts.log_mel_image(preview.frames, preview.hop_s), key=f"vary-{seed}-{index}",
                config=NO_BAR,
            )  # fmt: skip
