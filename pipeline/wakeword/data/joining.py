"""A word put together from the sounds of people who said other things.

The speech scorer's listener finds the phones of English recordings (freely decoded, no texts are needed). CTC marks a
phone near its middle, where it is steadiest: pieces of recordings of one speaker, from the middle of one phone to the
middle of another, are joined there, as diphone synthesis does (Moulines & Charpentier 1990), with as few joins as can
be, at one level and in phase. Where a speaker never said two phones in a row, pieces meet between them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.load import Audio, audio_files, from_samples
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.optional import require
from pipeline.parallel import Progress
from pipeline.records import Seconds
from pipeline.scoring.speech.lexicon.dictionary import LetterToSound
from pipeline.scoring.speech.lexicon.letter_to_sound import load_rules
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.placing import at_one_level
from pipeline.settings import Settings
from pipeline.synthesis.manner import AS_IT_IS, Manner
from pipeline.wakeword.data.clips import source_in, source_regex
from pipeline.wakeword.data.decoded_clips import SoundCache
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.phones import listener_folder, ways_of, word_score

Samples = NDArray[np.float32]
LONGEST_S: Seconds = 30.0  # that it hears
PAUSE_S: Seconds = 0.25  # between the middles of two phones: nobody says them as one
BEFORE_S, AFTER_S = 0.10, 0.16  # of the first phone before its middle, of the last after its
CROSSFADE_S, IN_PHASE_S = 0.016, 0.006
MOST_LOUDER_DB = 6.0  # that a piece is changed by
SUREST = 0.5  # posterior of a phone that is used
BREAK = 1.5  # what a join between phones costs; one within a phone costs 1
CHANCE = 0.9  # the largest random cost, so that a speaker says a word in several ways
MOST_CANDIDATES = 24
PHONE_S: Seconds = 0.07  # of a voice at its usual rate; learners who read sentences take longer
SLOWEST, FASTEST = 0.6, 1.8  # that sounds still bear
ATTEMPTS = 3  # of which the one is kept that the listener hears best
AROUND_S: Seconds = 0.25  # of silence, for the listener
SYNTHESISER, EVERYBODY = "joined", "everybody"
KEPT, CACHE_MB = "phones", 512


@dataclass(frozen=True)
class HeardPhones:
    """The phones of a recording: label numbers [n], the sample of each one's middle [n], and how sure they are [n],
    0-1. `sound` gives the recording at 16 kHz."""

    sound: Callable[[], Samples]
    labels: NDArray[np.int64]
    middles: NDArray[np.int64]
    sure: NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Phone number `at` of recording number `recording` of a speaker."""

    recording: int
    at: int


def phones_in(sound: Callable[[], Samples], listener: ListenerRuntime) -> HeardPhones:
    """Freely decoded."""
    samples = sound()
    log_probs = listener.listen(samples).log_probs
    labels = ctc.greedy(log_probs)
    if not labels:
        return HeardPhones(sound, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    found = ctc.align(log_probs, labels)
    middles = ((found.start + found.end) / 2 * len(samples) / len(log_probs)).astype(np.int64)
    spans = zip(found.start, found.end, labels, strict=True)
    sure = np.array([np.exp(log_probs[start:end, label].max()) for start, end, label in spans])
    return HeardPhones(sound, np.array(labels, dtype=np.int64), middles, sure)


class SpeakerSounds:
    """What one speaker can say with the sounds of these recordings."""

    def __init__(self, recordings: Sequence[HeardPhones]) -> None:
        self.recordings = recordings

    @cached_property
    def _singles(self) -> Mapping[int, list[Place]]:
        found = defaultdict(list)
        for number, heard in enumerate(self.recordings):
            for at in np.flatnonzero(heard.sure >= SUREST):
                found[int(heard.labels[at])].append(Place(number, int(at)))
        return found

    @cached_property
    def _pairs(self) -> Mapping[tuple[int, int], list[Place]]:
        """Where two phones follow each other, by the first one's place."""
        found = defaultdict(list)
        for number, heard in enumerate(self.recordings):
            sure = heard.sure >= SUREST
            together = sure[:-1] & sure[1:] & (np.diff(heard.middles) < PAUSE_S * RATE_HZ)
            for at in np.flatnonzero(together):
                found[int(heard.labels[at]), int(heard.labels[at + 1])].append(Place(number, int(at)))
        return found

    def can_say(self, labels: Sequence[int]) -> bool:
        return all(self._singles.get(label) for label in labels)

    def say(self, labels: Sequence[int], draw: np.random.Generator) -> Samples:
        """[n] at 16 kHz; ask `can_say` first."""
        return self._joined(list(self._pieces(self._chosen(labels, draw))))

    def _chosen(self, labels: Sequence[int], draw: np.random.Generator) -> list[tuple[Place, Place]]:
        """For each two phones in a row, where the first and the second are taken from: the cheapest way."""
        steps = [self._candidates(first, second, draw) for first, second in pairwise(labels)]
        if not steps:
            (only,) = labels
            place = self._singles[only][int(draw.integers(len(self._singles[only])))]
            return [(place, place)]
        costs = np.array([cost for _, cost in steps[0]])
        came_from = []
        for before, now in pairwise(steps):
            join = np.array([[float(b[0][1] != n[0][0]) for b in before] for n in now])
            total = costs[None, :] + join
            came_from.append(total.argmin(axis=1))
            costs = total.min(axis=1) + np.array([cost for _, cost in now])
        at = int(costs.argmin())
        path = [steps[-1][at][0]]
        for step, back in zip(reversed(steps[:-1]), reversed(came_from), strict=True):
            at = int(back[at])
            path.append(step[at][0])
        return path[::-1]

    def _candidates(
        self, first: int, second: int, draw: np.random.Generator
    ) -> list[tuple[tuple[Place, Place], float]]:
        places = self._pairs.get((first, second), [])
        chosen = [places[i] for i in draw.permutation(len(places))[:MOST_CANDIDATES]]
        found = [((place, Place(place.recording, place.at + 1)), CHANCE * draw.random()) for place in chosen]
        if found:
            return found
        ones, others = self._singles[first], self._singles[second]
        return [
            ((ones[int(draw.integers(len(ones)))], others[int(draw.integers(len(others)))]), BREAK + draw.random())
            for _ in range(MOST_CANDIDATES)
        ]

    def _pieces(self, chosen: Sequence[tuple[Place, Place]]) -> Iterator[Samples]:
        """Stretches of recordings that follow each other, half a crossfade longer at each join."""
        half = round(CROSSFADE_S * RATE_HZ / 2)
        first = chosen[0][0]
        recording, start = first.recording, self._edge(first, -1)
        for number, (here, there) in enumerate(chosen):
            if there != here and there != Place(here.recording, here.at + 1):  # met between two phones
                yield self._cut(recording, start, self._edge(here, 1) + half)
                recording, start = there.recording, self._edge(there, -1) - half
            following = chosen[number + 1][0] if number + 1 < len(chosen) else None
            if following is not None and following != there:  # joined within this phone
                yield self._cut(recording, start, self._middle(there) + half)
                recording, start = following.recording, self._middle(following) - half
        yield self._cut(recording, start, self._edge(chosen[-1][1], 1))

    def _middle(self, place: Place) -> int:
        return int(self.recordings[place.recording].middles[place.at])

    def _edge(self, place: Place, side: int) -> int:
        """Halfway to the phone beside it, or a little further on where that is far."""
        heard, middle = self.recordings[place.recording], self._middle(place)
        beside = place.at + side
        reach = round((BEFORE_S if side < 0 else AFTER_S) * RATE_HZ)
        if 0 <= beside < len(heard.labels):
            reach = min(reach, abs(int(heard.middles[beside]) - middle) // 2)
        return middle + side * reach

    def _cut(self, recording: int, start: int, end: int) -> Samples:
        return self.recordings[recording].sound()[max(0, start) : max(1, end)]

    def _joined(self, pieces: Sequence[Samples]) -> Samples:
        whole = pieces[0].copy()
        for piece in pieces[1:]:
            whole = crossfaded(whole, piece)
        edge = min(len(whole) // 4, round(CROSSFADE_S * RATE_HZ))
        whole[:edge] *= np.linspace(0.0, 1.0, edge, dtype=np.float32)
        whole[len(whole) - edge :] *= np.linspace(1.0, 0.0, edge, dtype=np.float32)
        return whole


def crossfaded(first: Samples, second: Samples) -> Samples:
    """The second as loud as the first where they meet, moved by a few milliseconds to be in phase with it."""
    n = min(round(CROSSFADE_S * RATE_HZ), len(first), len(second))
    end = first[len(first) - n :]
    latest = min(round(IN_PHASE_S * RATE_HZ), len(second) - n)
    moved = np.lib.stride_tricks.sliding_window_view(second[: n + latest], n)
    alike = moved @ end / (np.linalg.norm(moved, axis=1) + 1e-6)
    second = second[int(alike.argmax()) :]
    around = 3 * n
    louder = np.sqrt((np.square(first[-around:]).mean() + 1e-9) / (np.square(second[:around]).mean() + 1e-9))
    limit = 10.0 ** (MOST_LOUDER_DB / 20.0)
    second = second * np.float32(np.clip(louder, 1.0 / limit, limit))
    ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
    return np.concatenate([first[: len(first) - n], end * (1.0 - ramp) + second[:n] * ramp, second[n:]])


@dataclass(frozen=True)
class JoinedVoice:
    """A speaker of recordings as a voice that says other words; `draw` chooses other sounds each time."""

    speaker: str
    sounds: SpeakerSounds
    rules: LetterToSound | None
    draw: np.random.Generator
    listener: Callable[[], ListenerRuntime]

    @property
    def name(self) -> str:
        return f"joined-{self.speaker}"

    @property
    def synthesiser(self) -> str:
        return SYNTHESISER

    def can_say(self, text: str) -> bool:
        """Raises CorpusError for a text whose sounds nobody knows."""
        return bool(self._ways(text))

    def say(self, text: str, manner: Manner = AS_IT_IS) -> Audio:
        """16 kHz mono. Raises ValueError where the speaker never said one of its sounds, CorpusError as `can_say`."""
        ways = self._ways(text)
        if not ways:
            raise ValueError(
                Message(N_("{speaker} never says all sounds of {text!r}"), speaker=self.speaker, text=text)
            )
        labels = ways[int(self.draw.integers(len(ways)))]
        joined = [self.sounds.say(labels, self.draw) for _ in range(ATTEMPTS)]
        samples = max(joined, key=lambda samples: self._heard_as(labels, samples))
        faster = 2.0 ** (manner.pitch / 12.0)
        usual = len(samples) / RATE_HZ / (PHONE_S * len(labels))
        rate = min(FASTEST, max(SLOWEST, usual * manner.rate / faster))
        return from_samples(stretched(samples, rate), round(RATE_HZ * faster))

    def _heard_as(self, labels: Sequence[int], samples: Samples) -> float:
        """How well the listener hears what was to be said."""
        around = np.pad(samples, round(AROUND_S * RATE_HZ))
        return word_score(self.listener().listen(around).log_probs, labels)

    def _ways(self, text: str) -> list[list[int]]:
        return [labels for labels in ways_of(text, self.rules) if self.sounds.can_say(labels)]


def recordings_to_join(
    settings: Settings, folders: Sequence[Path], source_pattern: str | None = None, language: str = "en"
) -> list[tuple[str, Path]]:
    """Speaker and file of each recording in the folders. The speaker is the first group of the pattern in a path;
    without a pattern all recordings are one speaker's.

    Raises CorpusError for another language than English, folders without audio, a pattern that is none or finds no
    speaker in a path, and where librosa is missing, ModelError without the released listener.
    """
    if language != "en":
        raise CorpusError(
            N_("Sounds of recordings are joined in English alone; got the language {language!r}."), language=language
        )
    require(N_("Joining sounds of recordings"), ("librosa",), CorpusError)
    listener_folder(settings)
    files = [file for folder in folders for file in audio_files(folder)]
    if not files:
        raise CorpusError(N_("There is no audio in {folders}."), folders=", ".join(map(str, folders)))
    pattern = source_regex(source_pattern)
    return [(EVERYBODY if pattern is None else source_in(file.as_posix(), pattern), file) for file in files]


def check_texts(settings: Settings, texts: Sequence[str]) -> None:
    """Asked before recordings are listened to, which takes minutes. Raises CorpusError for an English text whose sounds
    nobody knows, such as an abbreviation, ModelError without the released listener."""
    rules = load_rules(listener_folder(settings))
    for text in texts:
        ways_of(text, rules)


def joined_voices(
    settings: Settings,
    folders: Sequence[Path],
    source_pattern: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[JoinedVoice]:
    """One for each speaker of the English recordings in the folders. What is heard in a recording is kept under the
    features of the installation. Raises as `recordings_to_join`, and AudioError for what cannot be read."""
    recordings = recordings_to_join(settings, folders, source_pattern)
    model = listener_folder(settings)
    hearing = _Hearing(model, settings.features_root / KEPT / artifacts.sha256_of(model / LISTENER_FILE)[:16])
    by_speaker: dict[str, list[HeardPhones]] = defaultdict(list)
    for number, (speaker, file) in enumerate(recordings):
        by_speaker[speaker].append(hearing.phones_of(file))
        if progress is not None:
            progress(number + 1, len(recordings), Message(N_("listening to recordings")))
    rules = load_rules(model)
    return [
        JoinedVoice(speaker, SpeakerSounds(heard), rules, np.random.default_rng([seed, 17, number]), hearing.listener)
        for number, (speaker, heard) in enumerate(sorted(by_speaker.items()))
    ]


def stretched(samples: Samples, rate: float) -> Samples:
    """So many times as fast, at the same pitch."""
    import librosa

    return np.asarray(librosa.effects.time_stretch(samples, rate=rate, n_fft=512, hop_length=64), dtype=np.float32)


class _Hearing:
    """Listens to each recording once, and keeps in `folder` what it heard."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._model, self._folder = model, folder
        self._sounds = SoundCache(CACHE_MB)

    @cached_property
    def _listener(self) -> ListenerRuntime:
        return ListenerRuntime(self._model)

    def listener(self) -> ListenerRuntime:
        return self._listener

    def phones_of(self, file: Path) -> HeardPhones:
        def sound() -> Samples:
            return at_one_level(self._sounds.get(file)[: round(LONGEST_S * RATE_HZ)])

        kept = self._folder / f"{artifacts.sha256_of(file)[:24]}.npz"
        if not kept.is_file():
            found = phones_in(sound, self._listener)
            np.savez(buffer := BytesIO(), labels=found.labels, middles=found.middles, sure=found.sure)
            artifacts.write_bytes(kept, buffer.getvalue())
        with np.load(kept) as arrays:
            return HeardPhones(sound, arrays["labels"], arrays["middles"], arrays["sure"])
