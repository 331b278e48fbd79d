"""The tiers that a rater starts from, and what marks can be put on: words and phones of a recording.

Boundaries come from the corpus, from the speech scorer's alignment, or are evenly divided; what the scorer thinks of
the sounds is never among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.identity import asks
from dashboard.services.shared import settings
from pipeline.labels.first_segments import evenly_divided, loud_part, tiers_in_time, timed_by_corpus
from pipeline.labels.marked_words import MarkedWord, marked_words
from pipeline.people.access import Action
from pipeline.phones import PHONES
from pipeline.records import Segment
from pipeline.text.turkish import SOUNDS

if TYPE_CHECKING:
    from pipeline.audio.load import Audio
    from pipeline.corpus.sets import RecordingSet
    from pipeline.records import Recording
    from pipeline.scoring.alignment import Alignments


@dataclass(frozen=True)
class FirstTiers:
    """`is_coming`: an alignment is being made, and replaces what is here."""

    segments: tuple[Segment, ...]
    is_coming: bool = False


@asks(Action.RATE, Action.SEE_RATINGS)
def words_of(recording: Recording) -> list[MarkedWord]:
    """The words that marks can be put on, with their expected sounds where those are known."""
    from pipeline.corpus.sets import get_set, language_of

    return marked_words(recording, language_of(get_set(settings(), recording.set), recording))


@asks(Action.RATE)
def sounds_to_choose(set_: RecordingSet, recording: Recording) -> list[tuple[str, str]]:
    """What can be heard in place of another sound: symbol and IPA. Letters for Turkish, else CMU phones."""
    if language(set_, recording) == "tr":
        return list(SOUNDS.items())
    return [(phone.symbol, phone.ipa) for phone in PHONES.values()]


@asks(Action.RATE)
def first_tiers(set_: RecordingSet, recording: Recording, audio: Audio, *, align: bool) -> FirstTiers:
    """Where words and phones are; `align` has them aligned in the background where nobody has yet."""
    from pipeline.scoring.alignment import can_align, kept_alignment

    duration_s = len(audio.samples) / audio.sample_rate_hz
    words = words_of(recording)
    is_coming = False
    timed = timed_by_corpus(recording)
    if timed is None and align and can_align(settings(), set_, recording):
        timed = kept_alignment(settings(), set_, recording)
        is_coming = timed is None and _alignments().is_coming(set_, recording)
    if timed is None or len(timed) != len(words):
        timed = evenly_divided(words, *loud_part(audio.samples, audio.sample_rate_hz))
    return FirstTiers(tiers_in_time(timed, duration_s), is_coming)


@asks(Action.RATE)
def language(set_: RecordingSet, recording: Recording) -> str:
    """In which a recording is read, without its region: `en` of `en-GB`."""
    from pipeline.corpus.sets import target_of
    from pipeline.scoring.selection import settle

    return settle(target_of(set_, recording))[0].language.partition("-")[0]


@st.cache_resource(show_spinner=False)
def _alignments() -> Alignments:
    from pipeline.scoring.alignment import Alignments

    return Alignments(settings())
