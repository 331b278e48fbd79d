"""Speaking without a given text: a question to answer, and what was heard and measured, said to be less sure."""

import streamlit as st

from dashboard.components.recorder import FREE, recorder, refused, shows_player
from dashboard.markup import message, plain
from dashboard.sections.practice.choose import Exercise
from dashboard.sections.practice.learner import turn
from dashboard.sections.practice.verdict import again, take
from dashboard.services import practice
from pipeline.audio.load import AudioTooLongError
from pipeline.errors import AudioError
from pipeline.features.whisper import WHISPERED_FREELY
from pipeline.i18n import _, ngettext, number, percent, translated
from pipeline.practice.free_speech import LONGEST_S, FreeSpeech

MANY_PAUSES = 0.35  # of the time


def free_speaking(exercise: Exercise) -> None:
    language = exercise.target.language
    result = st.container()
    st.header(plain(exercise.target.text), anchor=False)
    st.caption(
        _("Speak for up to {seconds} s. Nothing of it is scored or kept.").format(seconds=number(LONGEST_S))
    )  # fmt: skip
    view = f"free-{language}-{exercise.target.text}-{turn(exercise.learner)}-{take()}"
    data = recorder(view, of=FREE, starts=take())
    if data is None:
        return
    with result:
        try:
            with st.spinner(_("Listening …")):
                heard = practice.listen_freely(data, language)
        except AudioTooLongError:
            st.error(_("This recording is too long. Speak for at most {seconds} s.").format(seconds=number(LONGEST_S)))
            return
        except AudioError as error:
            refused(error)
            return
        if isinstance(heard, FreeSpeech):
            _show(heard)
            if not shows_player():
                st.audio(data)
        else:
            st.warning(message(translated(heard)), icon=":material/replay:")
        st.button(_("Again"), icon=":material/replay:", type="primary", key="free-again", on_click=again)


def _show(heard: FreeSpeech) -> None:
    st.header(_("What was heard"), anchor=False)
    if heard.whispered:
        st.warning(_(WHISPERED_FREELY), icon=":material/hearing:")
    if heard.words is not None:
        st.markdown(f"*{plain(' '.join(heard.words)) or '…'}*")
    st.caption(_("Without a given text this is less sure: words can be misheard, and sounds are not judged."))
    row = st.container(horizontal=True, gap="large")
    if heard.words is not None:
        rate = 60.0 * len(heard.words) / heard.duration_s
        row.metric(_("Words per minute"), number(rate), width="content")
    row.metric(_("Syllables per second"), _measured(heard.syllables_per_s, 1), width="content")
    row.metric(
        _("Syllables between pauses"), _measured(heard.syllables_per_run), width="content",
        help=_("Fluent speakers say more of them in one go."),
    )  # fmt: skip
    row.metric(_("Pauses"), number(len(heard.pauses_s)), width="content")
    row.metric(
        _("Fillers"), _measured(heard.n_fillers), width="content", help=_("“um”, and sounds that are held long.")
    )
    if heard.pauses_s:
        words = ngettext(
            "{n} pause took {share} of the time; the longest lasted {seconds} s.",
            "{n} pauses took {share} of the time; the longest lasted {seconds} s.",
            len(heard.pauses_s),
        )
        st.markdown(
            words.format(
                n=number(len(heard.pauses_s)), share=percent(heard.pause_share), seconds=number(max(heard.pauses_s), 1)
            )
        )
    if heard.pause_share > MANY_PAUSES:
        st.markdown(_("Can you say more before you pause? Think of the next sentence while you listen to the last."))


def _measured(value: float | None, digits: int = 0) -> str:
    return _("not measured") if value is None else number(value, digits)
