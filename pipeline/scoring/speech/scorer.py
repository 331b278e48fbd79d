"""The scorer of English sentences, words and phones."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import TARGET_RATE_HZ, Audio
from pipeline.audio.speech import Margins, Speech, cut_to
from pipeline.errors import CorpusError, ModelError
from pipeline.i18n import N_, NN_, Message
from pipeline.records import PhoneScore, RubricName, ScoreResult, State, Target, Verdict, WordScore, band_of
from pipeline.scoring.base import SCORERS, moved, shifted
from pipeline.scoring.speech.agreement import POOR_WORD, in_agreement, verdict_of_word
from pipeline.scoring.speech.free_decoding import RecognisedWord, recognise
from pipeline.scoring.speech.frontend import FrameSound, frame_sound
from pipeline.scoring.speech.labels import LABELS, UTTERANCE_ASPECTS, WORD_ASPECTS, decode
from pipeline.scoring.speech.lexicon.dictionary import (
    LetterToSound,
    Word,
    given_phones,
    pronounce,
    spoken_of,
)
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.lexicon.vocabulary import Vocabulary, load
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.evidence import CanonicalPhones, Evidence, gather_evidence
from pipeline.scoring.speech.listening.reading import Reading, read
from pipeline.scoring.speech.listening.runtime import HeadOutput, ListenerOutput, SpeechRuntime
from pipeline.scoring.speech.model_files import VOCABULARY_FILE, find_speech_model
from pipeline.scoring.speech.placing import LONGEST_S, placed
from pipeline.scoring.speech.verdicts import (
    PhoneVerdict,
    calibrated,
    heard_share,
    judge_phones,
    match_probability,
)
from pipeline.settings import Settings

log = logging.getLogger(__name__)

NAME = "speech"
# Beside the aligned phones, whose middles CTC marks: an end of a word may come .4 s after its last.
AROUND_TEXT = Margins(longest_s=1.2, kept_s=0.6, heard_s=0.4, always_silences=True)
MIN_FREE_SHARE = 0.15  # of the canonical phones: with fewer heard, nobody spoke
SURE_MATCH = 0.5
OTHER_TEXT_CEILING = 3.0  # of 10
# Of the text's phones: with fewer read, a few words that were heard may be chance. On cut and spliced recordings of
# speakers that no listener heard, 2 of 114 other texts pass, and 86 % of readings cut off anywhere.
MIN_READ_SHARE = 0.25


@dataclass(frozen=True)
class Analysis:
    """Everything measured on a recording of a known text, from which the result is made. `read` are the numbers of
    the words that were read; `spoken` and what is measured is of the words `measured`: of all, as in training, unless
    too many were left out for that."""

    words: tuple[Word, ...]
    read: tuple[int, ...]
    measured: tuple[int, ...]
    spoken: CanonicalPhones
    reading: Reading
    evidence: Evidence
    judged: HeadOutput
    verdicts: tuple[PhoneVerdict, ...]
    match: float
    heard: ListenerOutput


class SpeechScorer:
    """Raises ModelError for a folder without a loadable model."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        self.runtime = SpeechRuntime(folder)
        self.info = self.runtime.info
        self.model_id = self.info.model_id
        self._folder = folder
        log.info("Loaded %s from %s", self.model_id, folder)

    def score(self, audio: Audio, target: Target) -> ScoreResult:
        """Score phones, words and sentence. Raises CorpusError if the text is not English or cannot be said."""
        if target.language != self.info.language:
            raise CorpusError(
                N_("The speech model scores English (en) only, not {language!r}."), language=target.language
            )
        if audio.duration_s > LONGEST_S:
            too_long = Message(
                N_("The recording is {seconds:.0f} s long; at most {most:.0f} s can be scored. Record a shorter text."),
                seconds=audio.duration_s, most=LONGEST_S,
            )  # fmt: skip
            return self._refused(target, State.TOO_LONG, too_long)
        at_its_place = placed(audio.samples)
        recorded, audio = audio, replace(audio, samples=at_its_place.samples)
        words = given_phones(target.text, target.phones) if target.phones else pronounce(target.text, self._rules)
        heard = self.runtime.listen(audio.samples)
        shortest = [label for word in words for label in min(_labels(word), key=len)]
        if not ctc.fits(round(recorded.duration_s * self.info.frames_per_s), shortest):
            return self._refused(target, State.TOO_SHORT, _too_short(recorded, words))
        free = ctc.greedy(heard.log_probs)
        if len(free) < max(1.0, MIN_FREE_SHARE * len(shortest)):
            no_speech = Message(
                N_("There is no speech, or too little of it, in this recording. Check the microphone and read it all.")
            )
            return self._refused(target, State.NO_SPEECH, no_speech)
        try:
            found = self.analyse(audio, words, heard)
            cut = cut_to(audio, _read_part(found, len(audio.samples)), AROUND_TEXT)
            if cut.audio is not audio:
                found = self.analyse(cut.audio, words, self.runtime.listen(cut.audio.samples))
        except ValueError:
            return self._refused(target, State.TOO_SHORT, _too_short(recorded, words))
        result = shifted(self._result(cut.audio, target, found), cut)
        return moved(result, -at_its_place.added / TARGET_RATE_HZ)

    def analyse(self, audio: Audio, words: list[Word], heard: ListenerOutput) -> Analysis:
        """Raises ValueError where the recording is too short for the words."""
        labels = [_labels(word) for word in words]
        sound = frame_sound(audio.samples, len(heard.log_probs))
        found = self._analyse(sound, words, heard, read(heard.log_probs, labels))
        if found.match < SURE_MATCH and found.reading.others:
            # A text that was read twice may pass for one with much else in the middle.
            twice = self._analyse(sound, words, heard, read(heard.log_probs, labels, text_alone=True))
            if twice.match >= SURE_MATCH and twice.reading.n_retries:
                return twice
        return found

    def _analyse(self, sound: FrameSound, words: list[Word], heard: ListenerOutput, reading: Reading) -> Analysis:
        """Raises ValueError where the recording is too short for the words."""
        n_phones = [len(min(_labels(word), key=len)) for word in words]
        left_out = reading.left_out(n_phones, sound.level_db)
        all_words = range(len(words))
        were_read = tuple(number for number in all_words if number not in left_out)
        share_read = sum(n_phones[number] for number in were_read) / sum(n_phones)
        whole = self._measure(sound, words, heard, reading, tuple(all_words), were_read)
        if whole.match >= SURE_MATCH or share_read < MIN_READ_SHARE or not left_out:
            return whole
        part = self._measure(sound, words, heard, reading, were_read, were_read)
        return part if part.match >= SURE_MATCH else whole

    def _measure(
        self, sound: FrameSound, words: list[Word], heard: ListenerOutput, reading: Reading, measured: tuple[int, ...],
        were_read: tuple[int, ...],
    ) -> Analysis:  # fmt: skip
        """Raises ValueError where the recording is too short for the words that are measured."""
        spoken, stress = spoken_of([words[number].variants[reading.variants[number] or 0] for number in measured])
        log_probs = _without(heard.log_probs, reading.abandoned)
        evidence = gather_evidence(log_probs, spoken, sound)
        match = match_probability(self.info.match, evidence)
        judged = self.runtime.judge(heard, spoken, stress, evidence)
        verdicts = tuple(judge_phones(self.info, spoken, judged, evidence, log_probs))
        # Of a text that is hardly heard, nobody can say which words were left out.
        were_read = were_read if match >= SURE_MATCH else measured
        return Analysis(tuple(words), were_read, measured, spoken, reading, evidence, judged, verdicts, match, heard)

    def hear(self, audio: Audio) -> ListenerOutput:
        """What is heard in a recording of whatever was said, at the level and place of those that are scored."""
        return self.runtime.listen(placed(audio.samples).samples)

    def recognise(self, heard: ListenerOutput) -> list[RecognisedWord] | None:
        """The words of free decoding; None where the model has no vocabulary."""
        if self._vocabulary is None:
            return None
        return recognise(heard.log_probs, self._vocabulary, self.info.decoding, self.info.log_prior)

    @cached_property
    def _vocabulary(self) -> Vocabulary | None:
        file = self._folder / VOCABULARY_FILE
        return load(file) if file.is_file() else None

    @cached_property
    def _rules(self) -> LetterToSound | None:
        return load_rules(self._folder)

    def _refused(self, target: Target, state: State, reason: str) -> ScoreResult:
        return ScoreResult(
            overall=None, band=None, scoring_method="none", scorer=self.name, model_id=self.model_id, target=target,
            warnings=(reason,), state=state,
        )  # fmt: skip

    def _result(self, audio: Audio, target: Target, found: Analysis) -> ScoreResult:
        matches = found.match >= SURE_MATCH
        share_read = len(found.read) / len(found.words)
        sentence = np.clip(found.judged.sentence, 0.0, 10.0)
        if matches:
            # Experts lower every aspect by about the share of words that count nothing: in 381 training recordings with
            # .35, .5, .62 and .77 of their words, accuracy is .47, .58, .67 and .80, fluency .51, .62, .68 and .79 of
            # what the other words would get.
            sentence *= len(found.measured) / len(found.words)
        else:
            sentence = np.minimum(sentence, OTHER_TEXT_CEILING * found.match / SURE_MATCH)
        heard_words = self.recognise(found.heard)
        words = self._words(audio, found, heard_words)
        if matches:
            total = UTTERANCE_ASPECTS.index("total")
            sentence[total], words = in_agreement(float(sentence[total]), words)
        dimensions = {aspect: round(float(v), 2) for aspect, v in zip(UTTERANCE_ASPECTS, sentence, strict=True)}
        said = share_read if matches else found.match * float(heard_share(found.spoken, found.evidence).mean())
        dimensions["completeness"] = round(10.0 * said, 2)
        overall = round(10.0 * float(sentence[UTTERANCE_ASPECTS.index("total")]), 2)
        added, n_said_again = _beside_the_text(found, heard_words or []) if matches else ((), 0)
        return ScoreResult(
            overall=overall,
            band=band_of(overall).key,
            scoring_method="ml_model",
            scorer=self.name,
            model_id=self.model_id,
            target=target,
            confidence=round(calibrated(self.info.confidence, overall), 3)
            if self.info.confidence and matches
            else None,
            dimensions=dimensions,
            words=tuple(words),
            warnings=tuple(_warnings(found, matches, added, n_said_again)),
            state=State.SCORED if matches else State.OTHER_TEXT,
            heard_phones=_heard_phones(found, heard_words),
            heard_text=None if heard_words is None else " ".join(word.text for word in heard_words),
            added_words=added,
            n_repeats=found.reading.n_retries + n_said_again if matches else 0,
        )

    def _words(self, audio: Audio, found: Analysis, heard_words: list[RecognisedWord] | None) -> list[WordScore]:
        starts, ends = _boundaries(found, audio.duration_s, self.info.frames_per_s)
        share = heard_share(found.spoken, found.evidence)
        places = {number: place for place, number in enumerate(found.measured)}
        points = np.clip(50.0 * found.judged.phone, 0.0, 100.0).round(1)
        scored: list[WordScore] = []
        for number, word in enumerate(found.words):
            place = places.get(number)
            if place is None:
                sounds = [(LABELS[label], 0.0) for label in _labels(word)[0]]
                values = np.zeros(len(WORD_ASPECTS))
            else:
                rows = np.flatnonzero(found.spoken.words == place)
                sounds = [(LABELS[found.spoken.labels[i]], float(points[i])) for i in rows]
                values = np.clip(found.judged.word[place], 0.0, 10.0)
            dimensions = {aspect: round(float(v), 2) for aspect, v in zip(WORD_ASPECTS, values, strict=True)}
            if place is None or number not in found.read:
                scored.append(_not_read(word, scored[-1].end_s if scored else starts[0], sounds, dimensions))
                continue
            phones = tuple(
                PhoneScore(
                    phone=phone,
                    score=score,
                    start_s=starts[i],
                    end_s=ends[i],
                    verdict=found.verdicts[i].verdict,
                    heard=found.verdicts[i].heard,
                    before=found.verdicts[i].before,
                    confidence=round(found.verdicts[i].confidence, 3),
                )
                for i, (phone, score) in zip(rows, sounds, strict=True)
            )
            accuracy = float(values[0])
            scored.append(
                WordScore(
                    text=word.text,
                    written=word.written,
                    token=word.token,
                    score=round(10.0 * accuracy, 1),
                    start_s=starts[rows[0]],
                    end_s=ends[rows[-1]],
                    phones=phones,
                    verdict=verdict_of_word(accuracy),
                    dimensions=dimensions,
                    heard=_other_word(word, rows, found, heard_words)
                    if accuracy < POOR_WORD and share[place] <= 0.5
                    else None,
                )
            )
        return scored


def _not_read(word: Word, at_s: float, sounds: Sequence[tuple[str, float]], dimensions: dict[str, float]) -> WordScore:
    """Without length, where the word before it ends. What experts would give its sounds and the word is kept, where it
    was measured."""
    return WordScore(
        text=word.text,
        written=word.written,
        token=word.token,
        score=0.0,
        start_s=at_s,
        end_s=at_s,
        phones=tuple(
            PhoneScore(phone, score, at_s, at_s, verdict=Verdict.MISSING, confidence=1.0) for phone, score in sounds
        ),
        verdict=Verdict.MISSING,
        dimensions=dimensions,
    )


def _heard_phones(found: Analysis, heard_words: list[RecognisedWord] | None) -> tuple[str, ...]:
    """Those of the words that were heard; without a vocabulary, the likeliest of each frame."""
    if heard_words is None:
        return tuple(decode(found.evidence.free))
    return tuple(decode([label for word in heard_words for label in word.labels]))


def _other_word(
    word: Word, rows: NDArray[np.int64], found: Analysis, heard_words: list[RecognisedWord] | None
) -> str | None:
    """The word that free decoding heard over most of this word's time, where it is another."""
    if not heard_words:
        return None
    start, end = int(found.evidence.alignment.start[rows[0]]), int(found.evidence.alignment.end[rows[-1]])
    overlaps = {other.text: min(end, other.end) - max(start, other.start) for other in heard_words}
    best = max(overlaps, key=lambda text: overlaps[text])
    return best if overlaps[best] > 0.5 * (end - start) and best != word.text else None


def _warnings(found: Analysis, matches: bool, added: Sequence[str], n_said_again: int) -> list[str]:
    warnings: list[str] = []
    if not matches:
        warnings.append(
            Message(
                N_("The recording is not this text: it is another sentence or another language. Read the text shown.")
            )
        )
    elif len(found.read) < len(found.words):
        left_out = ", ".join(word.text for number, word in enumerate(found.words) if number not in found.read)
        warnings.append(Message(N_("Words not heard: {words}."), words=left_out))
    guessed = [word.text for word in found.words if word.source == "rules"]
    if guessed:
        warnings.append(
            Message(
                N_("Not in the dictionary; the expected pronunciation is a guess: {words}."), words=", ".join(guessed)
            )
        )
    if matches and found.reading.n_retries:
        warnings.append(Message(N_("Some of it was said twice; the last time is what was scored.")))
    elif n_said_again:
        warnings.append(Message(N_("Some of it was said twice.")))
    if added:
        warnings.append(Message(N_("Words that are not in the text: {words}."), words=", ".join(added)))
    return warnings


def _beside_the_text(found: Analysis, heard_words: list[RecognisedWord]) -> tuple[tuple[str, ...], int]:
    """What free decoding heard for the most part where something else than the text was said: the words that are not in
    the text, and how many times some of it was said again, in several words. Free decoding mishears about one word in
    three: where at least half of the words are the text's, the others are taken for misheard ones of it."""
    text = {word.text for word in found.words}
    added: list[str] = []
    n_said_again = 0
    for start, end in found.reading.others:
        said = [
            word.text
            for word in heard_words
            if min(word.end, end) - max(word.start, start) > 0.5 * (word.end - word.start)
        ]
        others = [word for word in said if word not in text]
        is_said_again = len(said) > 1 and 2 * len(others) <= len(said)
        added += [] if is_said_again else others
        n_said_again += is_said_again
    return tuple(added), n_said_again


def _read_part(found: Analysis, n_samples: int) -> Speech:
    """From the first phone to the last, attempts that were begun again included, in samples: beyond it is what passes
    for a voice and is none of the text."""
    frames = len(found.heard.log_probs)
    abandoned = np.flatnonzero(found.reading.abandoned)
    start = min([int(found.evidence.alignment.start[0]), *abandoned[:1]])
    end = max([int(found.evidence.alignment.end[-1]), *(abandoned[-1:] + 1)])
    return Speech(start * n_samples // frames, end * n_samples // frames, 1.0)


def _too_short(audio: Audio, words: list[Word]) -> Message:
    return Message(
        NN_("The recording is only {seconds:.1f} s long, too short for this text ({n} word). Read all of it.",
            "The recording is only {seconds:.1f} s long, too short for this text ({n} words). Read all of it."),
        seconds=audio.duration_s, n=len(words),
    )  # fmt: skip


def _boundaries(found: Analysis, duration_s: float, frames_per_s: float) -> tuple[list[float], list[float]]:
    """Start and end of each phone in seconds. CTC marks the middle of a phone: short gaps are shared between
    neighbours, long ones are pauses."""
    start = found.evidence.alignment.start.astype(np.float64)
    end = found.evidence.alignment.end.astype(np.float64)
    gap = start[1:] - end[:-1]
    share = np.minimum(gap, 8.0) / 2.0
    start[1:] -= share
    end[:-1] += share
    start[0], end[-1] = max(0.0, start[0] - 4.0), end[-1] + 4.0
    return (
        [min(round(max(0.0, float(v)), 3), duration_s) for v in start / frames_per_s],
        [min(round(max(0.0, float(v)), 3), duration_s) for v in end / frames_per_s],
    )


def _labels(word: Word) -> list[list[int]]:
    return [spoken_of([variant])[0].labels.tolist() for variant in word.variants]


def _without(log_probs: NDArray[np.float64], abandoned: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Attempts that were begun again, taken as silence."""
    if not abandoned.any():
        return log_probs
    silent = log_probs.copy()
    silent[abandoned] = -12.0
    silent[abandoned, ctc.BLANK] = -1e-4
    return silent


@SCORERS.register(NAME)
def make(settings: Settings, rubric: RubricName, model: Path | None) -> SpeechScorer:
    """Raises ModelError where no speech model is deployed or released."""
    folder = find_speech_model(settings, model)
    if folder is not None:
        return SpeechScorer(folder)
    raise ModelError(
        N_("There is no speech model. Train one (`pronlab train speech`), or name its folder with --model.")
    )
