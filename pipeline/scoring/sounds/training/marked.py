"""Recordings whose sounds people have marked on the Label page, as a model of sounds learns from them."""

import random
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio, load_audio
from pipeline.corpus.reference_voice import reference_voice
from pipeline.corpus.sets import audio_path, get_set, language_of, read_recordings
from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.labels.marked_words import marked_words
from pipeline.labels.store import LabelStore
from pipeline.records import RatingAction, RatingEvent, RatingSource
from pipeline.scoring.sounds.training.samples import Part, Sample
from pipeline.settings import Settings
from pipeline.text.words import text_key

WRONG_KINDS = frozenset({"mispronounced", "missing", "added"})  # of marks; an accent is not held against a sound
FEWEST_SPEAKERS, FEWEST_WRONG = 5, 20
SHARES = ((Part.HELD_OUT, 0.2), (Part.VALIDATION, 0.2))  # of the speakers

Encode = Callable[[Audio], NDArray[np.float32]]


def marked_samples(settings: Settings, set_name: str, encode: Encode, seed: int = 0) -> list[Sample]:
    """One for each rated recording of one word, and one for the reference of each word; no speaker is in two parts.

    A sound is wrong where at least half of its raters marked it as wrong. Raises TrainingError where there are too few
    speakers or marks.
    """
    samples = list(_samples(settings, set_name, encode))
    speakers = sorted({sample.voice for sample in samples if not sample.is_reference})
    n_wrong = sum(wrong is True for sample in samples for wrong in sample.wrong)
    if len(speakers) < FEWEST_SPEAKERS or n_wrong < FEWEST_WRONG:
        raise TrainingError(
            N_(
                "Too little of the set {set!r} is marked as wrong (sounds: {n_wrong}, speakers: {n_speakers}). Mark at "
                "least {fewest} sounds of {fewest_speakers} speakers on the Label page, or train without --set on "
                "synthetic speech."
            ),
            set=set_name,
            n_wrong=n_wrong,
            n_speakers=len(speakers),
            fewest=FEWEST_WRONG,
            fewest_speakers=FEWEST_SPEAKERS,
        )
    random.Random(seed).shuffle(speakers)  # noqa: S311 - a split, no secret
    part_of = dict.fromkeys(speakers, Part.FIT)
    for part, share in SHARES:
        for speaker in [speakers.pop() for _ in range(max(1, round(share * len(part_of))))]:
            part_of[speaker] = part
    return [
        Sample(**{**vars(sample), "part": Part.FIT if sample.is_reference else part_of[sample.voice]})
        for sample in samples
    ]


def wrong_sounds(ratings: list[RatingEvent], n: int) -> tuple[bool | None, ...]:
    """Of each of a word's `n` sounds; None where raters do not agree on more than an accent."""
    verdicts: list[bool | None] = []
    for place in range(n):
        kinds = [{mark.kind for mark in rating.marks if mark.word == 0 and mark.phone == place} for rating in ratings]
        share = sum(bool(marks & WRONG_KINDS) for marks in kinds) / len(kinds)
        verdicts.append(True if share >= 0.5 else None if any(kinds) else False)
    return tuple(verdicts)


def _samples(settings: Settings, set_name: str, encode: Encode) -> Iterator[Sample]:
    set_, store = get_set(settings, set_name), LabelStore(settings)
    with_reference: set[str] = set()
    for recording in read_recordings(settings, set_name):
        language = language_of(set_, recording)
        words = marked_words(recording, language)
        ratings = [
            event for event in store.current(recording).values()
            if event.action is RatingAction.RATE and event.source is RatingSource.HUMAN
        ]  # fmt: skip
        if len(words) != 1 or not words[0].phones or not ratings:
            continue
        sounds, word = words[0].phones, text_key(recording.text, language)
        if word not in with_reference:
            voice = reference_voice(settings, recording.text, language)
            if voice is None:
                continue
            states = encode(load_audio(voice.path)).astype(np.float16)
            right = (False,) * len(sounds)
            yield Sample(Part.FIT, word, sounds, sounds, right, "reference", states, is_reference=True)
            with_reference.add(word)
        wrong = wrong_sounds(ratings, len(sounds))
        states = encode(load_audio(audio_path(set_, recording))).astype(np.float16)
        fault = "" if not any(wrong) else "marked by experts"
        said = None if fault else sounds
        yield Sample(Part.FIT, word, sounds, said, wrong, recording.speaker, states, fault=fault)
