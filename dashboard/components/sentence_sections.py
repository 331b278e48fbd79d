"""The Practice page for sentences: what to read, and what was said of it, word by word and phone by phone."""

from collections.abc import Sequence

import streamlit as st

from dashboard import state
from dashboard.components.practice_sections import Task, learner_name
from dashboard.components.reading import heard_in_words, reading
from dashboard.components.score_card import checks_list, score_card
from dashboard.services import Try
from pipeline.phones import PHONES
from pipeline.records import PhoneScore, RubricName, State, Target, Verdict

MAX_SENTENCE_LENGTH = 300
N_WORST = 3
# Between them they hold every phone of English.
SENTENCES = (
    "The weather is lovely in the mountains today.",
    "She sells fresh bread and cheese at the market.",
    "I would rather measure it twice before we cut.",
    "My brother usually drinks three cups of tea.",
    "Could you choose a good book for the journey?",
    "The young girl heard a strange noise outside.",
    "We thought the show was over, but it had just begun.",
    "Please give this yellow jacket to your father.",
    "They saw five small boats on the quiet river.",
    "It is a pleasure to hear you singing again.",
)
ASPECT_WORDS = {
    "accuracy": ("Accuracy", "Are the sounds right?"),
    "fluency": ("Fluency", "Does it flow, without pauses and repeats?"),
    "prosodic": ("Prosody", "Are stress, melody and rhythm natural?"),
    "completeness": ("Completeness", "Was every word said?"),
}


def choose_sentence() -> Task | None:
    """Who reads which sentence; None while there is nothing to read."""
    left, right = st.columns([1, 2])
    with left:
        learner = learner_name()
    if state.chosen(state.SENTENCE) is None:
        state.choose(state.SENTENCE, SENTENCES[0])
    with right:
        sentence = st.selectbox(
            "Sentence: choose one or type your own",
            SENTENCES,
            index=None,
            key=state.SENTENCE,
            bind="query-params",
            accept_new_options=True,
            placeholder=SENTENCES[0],
        )
    text = " ".join((sentence or "").split())[:MAX_SENTENCE_LENGTH]
    if not text:
        st.caption("Choose or type an English sentence to practise it.")
        return None
    return Task(None, Target(text, "en", RubricName.SENTENCE), learner)


def read_aloud(task: Task) -> None:
    st.subheader("1. Read aloud")
    st.markdown(f"### {task.target.text}")
    st.caption("Read it once, at your own pace. If you stumble, begin the word again: the last attempt counts.")


def sentence_verdict(tried: Try, task: Task) -> None:
    st.subheader("3. What you said")
    result = tried.result
    score_card(result)
    if result.state is State.OTHER_TEXT and result.heard_text:
        st.markdown(f"Heard instead: *{result.heard_text}*")
    if result.words and result.state is State.SCORED:
        reading(tried.audio, result, key="practice-reading")
        st.caption("Click a word or a sound to hear how you said it. The number is the word's score, 0-100.")
    if not task.learner:
        st.info("Enter your name above to keep your tries and see progress.", icon=":material/person:")
    if result.state is State.SCORED and result.dimensions:
        scores, hints = st.columns(2)
        with scores:
            _aspects(result.dimensions)
        with hints:
            _hints([phone for word in result.words for phone in word.phones])
    with st.expander("The recording"):
        st.audio(tried.wav)
        if result.audio is not None:
            checks_list(result.audio)
    st.caption(f"Scored in {tried.milliseconds / 1000:.1f} s, on this computer.")


def worst_phones(phones: Sequence[PhoneScore]) -> list[PhoneScore]:
    """The phones to mend first: wrong or missing ones, the surest first; each symbol once."""
    bad = [phone for phone in phones if phone.verdict in (Verdict.WRONG, Verdict.MISSING)]
    order = sorted(bad, key=lambda phone: (-(phone.confidence or 0.0), phone.score))
    first: dict[str, PhoneScore] = {}
    for phone in order:
        first.setdefault(phone.phone, phone)
    return list(first.values())[:N_WORST]


def _aspects(dimensions: dict[str, float]) -> None:
    st.markdown("**How it went** (0-10)")
    for name, (label, question) in ASPECT_WORDS.items():
        if name in dimensions:
            st.progress(dimensions[name] / 10.0, text=f"{label}: {dimensions[name]:.1f}. {question}")


def _hints(phones: list[PhoneScore]) -> None:
    st.markdown("**What to mend first**")
    worst = worst_phones(phones)
    if not worst:
        st.caption("No sound stands out as wrong.")
    for phone in worst:
        known = PHONES[phone.phone]
        heard = heard_in_words(phone)
        st.markdown(f"**{known.ipa}** as in “{known.example}”{': ' + heard if heard else ''}  \n{known.hint}")
