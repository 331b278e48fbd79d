"""One drill: pairs of words, each heard and told apart, then said and told apart by the scorer."""

import random
from dataclasses import dataclass, field

import streamlit as st

from dashboard import state
from dashboard.components.mouth import how_to_make
from dashboard.components.recorder import recorder, refused
from dashboard.markup import message, plain
from dashboard.sections.practice.learner import turn
from dashboard.services import path as paths
from dashboard.zone import local
from pipeline.corpus.reference_voice import ReferenceVoice
from pipeline.errors import AudioError
from pipeline.i18n import _, day, number, translated
from pipeline.practice.contrasts import Contrast

N_PAIRS = 4
ROUND, DUE = "drill.round", "drill.due"  # not shown
Pair = tuple[str, str]


@dataclass
class _Round:
    """Where a learner is in a drill. `heard` and `said` are the words to recognise and to say of each pair; `answer`
    what was chosen for this pair, `told` which word was heard when it was said; `right` counts over all pairs. `turn`
    is the learner's (`learner.turn`)."""

    pairs: list[Pair]
    heard: list[str]
    said: list[str]
    number: int = 0
    answer: str | None = None
    takes: int = 0
    told: list[str] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    turn: int = 0

    @property
    def is_done(self) -> bool:
        return self.number >= len(self.pairs)


def drill(contrast: Contrast, learner: str) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.header(" / ".join(contrast.shown_sounds), width="content", anchor=False)
    row.button(_("Back to my path"), icon=":material/arrow_back:", key="drill-back", on_click=_leave)
    now = _round(contrast, learner)
    if now.is_done:
        _result(contrast, learner, now)
        return
    pair = now.pairs[now.number]
    row.caption(
        _("Pair {place} of {n}").format(place=number(now.number + 1), n=number(len(now.pairs))), width="content"
    )
    _how(contrast)
    voices = paths.voices(contrast, pair)
    if voices is None and contrast.language != "en":
        st.info(_("This drill needs a voice for each word, and none is installed here. Ask your teacher."))
        return
    left, right = st.columns(2)
    with left:
        if voices is None:
            st.caption(_("There is no voice for these words here. Say them all the same."))
        else:
            _hear(now, pair, voices)
    with right:
        if voices is None or now.answer is not None:
            _say(contrast, now, pair, voices)


def _round(contrast: Contrast, learner: str) -> _Round:
    """The learner's own: whoever comes next begins anew."""
    now = turn(learner)
    known: tuple[str, _Round] | None = state.recall(ROUND)
    if known is not None and known[0] == contrast.id and known[1].turn == now:
        return known[1]
    draw = random.Random()  # noqa: S311  which words come is no secret
    pairs = draw.sample(contrast.pairs, min(N_PAIRS, len(contrast.pairs)))
    begun = _Round(pairs, [draw.choice(pair) for pair in pairs], [draw.choice(pair) for pair in pairs], turn=now)
    state.remember(ROUND, (contrast.id, begun))
    return begun


def _how(contrast: Contrast) -> None:
    how_to_make(contrast.language, contrast.sounds, key="drill-sounds")


def _hear(now: _Round, pair: Pair, voices: tuple[ReferenceVoice, ReferenceVoice]) -> None:
    asked = now.heard[now.number]
    st.subheader(_("1. Which word do you hear?"), anchor=False)
    st.audio(voices[pair.index(asked)].path.read_bytes(), format="audio/wav")
    with st.container(horizontal=True):
        for word in pair:
            st.button(
                word,
                key=f"hear-{now.number}-{word}",
                disabled=now.answer is not None,
                on_click=_choose,
                args=(now, word),
            )
    if now.answer is None:
        return
    if now.answer == asked:
        st.success(_("Right: “{word}”.").format(word=plain(asked)), icon=":material/check:")
        return
    st.info(_("It was “{word}”. Listen to both.").format(word=plain(asked)), icon=":material/hearing:")
    for word, voice in zip(pair, voices, strict=True):
        st.caption(plain(word))
        st.audio(voice.path.read_bytes(), format="audio/wav")


def _choose(now: _Round, word: str) -> None:
    now.answer = word
    now.answers.append(word == now.heard[now.number])


def _say(contrast: Contrast, now: _Round, pair: Pair, voices: tuple[ReferenceVoice, ReferenceVoice] | None) -> None:
    asked = now.said[now.number]
    row = st.container(horizontal=True, vertical_alignment="center")
    row.subheader(_("2. Say “{word}”").format(word=plain(asked)), anchor=False)
    data = recorder(f"drill-{contrast.id}-{now.turn}-{now.number}-{now.takes}", starts=now.takes, choice_in=row)
    if data is not None:
        _told(contrast, now, pair, asked, data)
        st.button(
            _("Again"), icon=":material/replay:", key=f"drill-again-{now.number}-{now.takes}", on_click=_again,
            args=(now,),
        )  # fmt: skip
    st.button(
        _("Next pair") if now.number + 1 < len(now.pairs) else _("Finish"), key=f"drill-next-{now.number}",
        type="primary" if data is not None else "secondary", on_click=_next, args=(now,),
    )  # fmt: skip


def _told(contrast: Contrast, now: _Round, pair: Pair, asked: str, data: bytes) -> None:
    """What the scorer heard; the first take of which it can be told counts."""
    try:
        with st.spinner(_("Scoring …")):
            heard = paths.hear_pair(data, contrast, pair)
    except AudioError as error:
        refused(error)
        return
    if heard.no_attempt is not None:
        st.warning(message(translated(heard.no_attempt)), icon=":material/replay:")
        return
    if heard.doubt is not None:
        st.warning(message(translated(heard.doubt)), icon=":material/hearing:")
    if heard.word is None:
        st.info(_("It lay between the two words. Make the difference larger."), icon=":material/compare_arrows:")
    elif heard.word == asked:
        st.success(_("“{word}” was heard. Right.").format(word=plain(asked)), icon=":material/check:")
    else:
        st.info(
            _("It sounded more like “{word}”. Listen to both and say it once more.").format(word=plain(heard.word)),
            icon=":material/hearing:",
        )
    if not now.told:
        now.told.append(heard.word or "")
        now.answers.append(heard.word == asked)


def _again(now: _Round) -> None:
    now.takes += 1


def _next(now: _Round) -> None:
    now.number, now.answer, now.takes, now.told = now.number + 1, None, 0, []


def _leave() -> None:
    state.forget(ROUND)
    state.watch(state.DRILL, None)


def _result(contrast: Contrast, learner: str, now: _Round) -> None:
    """Once for each round it is planned anew."""
    n, right = len(now.answers), sum(now.answers)
    if not n:
        st.caption(_("Nothing was answered in this drill."))
        return
    due = state.recall(DUE)
    if due is None or due[0] is not now:
        due = (now, paths.finish_drill(learner, contrast, right / n))
        state.remember(DUE, due)
    st.metric(_("Right"), _("{right} of {n}").format(right=number(right), n=number(n)))
    if due[1] is not None:
        st.markdown(_("This drill comes back on {day}.").format(day=day(local(due[1]))))
    st.button(_("Once more"), icon=":material/replay:", key="drill-once-more", on_click=state.forget, args=(ROUND,))
