"""Listens for the word of this bundle; needs Python, numpy and onnxruntime, and nothing else.

    python runner.py FILE.wav     one JSON line for each detection: {"at_s": seconds, "score": 0 to 1}, and "word" where
                                  the bundle knows several
    python runner.py -            the same of what comes on standard input: 16-bit samples at 16 kHz, mono

    arecord -q -f S16_LE -r 16000 -c 1 -t raw | python runner.py -

`--sensitivity` 0 to 1 moves the threshold: .5 is that of the bundle, 0 has a tenth of its false alarms, 1 ten times as
many, by the curve that was measured. Less sensitive misses more words.

A bundle may hold a judge, a listener of phones: then the detector goes off at a low threshold, and the judge decides
whether the word's phones are in the last two seconds. `--sensitivity` moves how sure it must be, `score` is its own.
"""

import argparse
import copy
import json
import os
import struct
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnxruntime

RATE_HZ = 16_000
BLOCK_S = 0.5
AFTER_S = 0.5  # of silence that sound ends in
MOST_BYTES = 1 << 22  # of a file that are read at once
LOWEST_HZ, HIGHEST_HZ = 4_000, 384_000  # of a file
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # kinds of samples in a WAV file; the last names one of the others further on
SAMPLES = {(PCM, 1), (PCM, 2), (PCM, 3), (PCM, 4), (FLOAT, 4), (FLOAT, 8)}  # with their bytes
HALF_TAPS = 32
PER_SENSITIVITY = 6.0  # logits from one end of the scale to the other, for a bundle without a curve
RANGE = 10.0  # false alarms at sensitivity 1 over those at .5
FLATTEST = -0.1  # logits for each factor e of false alarms, at least
# Of the judge of phones.
JUDGED_S = 2.0  # of sound that it hears: a window, and what came before it
SHORTEST_S = 0.1
FIRST_FAH = 200.0  # false alarms per hour of the detector that asks: what it misses, nobody judges
LIMIT_PER_SENSITIVITY = 2.0  # that the limit falls from sensitivity 0 to 1
BLANK, NEVER = 0, -1e30
AROUND = 4  # frames before the first phone and after the last that belong to them
# What detector.json may say.
FORMAT = 1
ANY = (-1e6, 1e6)
WHOLE = {"window_samples": (1, 60 * RATE_HZ), "hop_samples": (1, 60 * RATE_HZ), "votes": (1, 100), "of": (1, 100)}
NUMBERS = {
    "threshold": ANY, "temperature": (1e-6, 1e6), "hysteresis": (0.0, 1e6), "lockout_s": (0.0, 3600.0),
    "target_false_alarms_per_hour": (0.0, 1e6),
}  # fmt: skip
OF_JUDGE = {"limit": ANY, "phones_weight": ANY, "learnt_weight": ANY}


def check_numbers(about: dict[str, Any], limits: Mapping[str, tuple[float, float]], kind: Any = (int, float)) -> None:
    """Raises ValueError naming the first that is missing, none, or beyond its limits."""
    for name, (low, high) in limits.items():
        value = about.get(name)
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            raise ValueError(f"{name} is {str(value)[:40]}, expected {low:g} to {high:g}")


def checked(about: Any) -> dict[str, Any]:
    """Of detector.json, all that the detector uses. Raises ValueError where something is not as it is written: a
    detector shall not stop at the first word that it hears."""
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError(f"detector.json is not of format {FORMAT}")
    check_numbers(about, WHOLE, int)
    for less, most in (("votes", "of"), ("hop_samples", "window_samples")):  # it would never go off, or skip sound
        if about[less] > about[most]:
            raise ValueError(f"{less} is {about[less]}, expected at most {most}, which is {about[most]}")
    every = about.get("frame_hop_samples", about["hop_samples"])
    if type(every) is not int or every < 1 or about["hop_samples"] % every:
        raise ValueError(f"frame_hop_samples is {str(every)[:40]}, expected a part of {about['hop_samples']}")
    for word in about.get("words") or [{}]:
        own = {**about, **word}
        check_numbers(own, NUMBERS)
        if not isinstance(own.get("word"), str) or not own["word"].isprintable() or not own["word"]:
            raise ValueError(f"word is {str(own.get('word'))[:40]!r}, expected text")
        curve = own.get("curve", [])
        if not isinstance(curve, list) or not all(isinstance(point, dict) for point in curve):
            raise ValueError(f"curve is {str(curve)[:40]}, expected its points")
        for point in curve:
            check_numbers(point, {"fah": (0.0, 1e6), "threshold": ANY})
    judge = about.get("judge")
    if judge is not None:
        check_numbers(judge, OF_JUDGE)
        if judge["first_threshold"] is not None:
            check_numbers(judge, {"first_threshold": ANY})
        if not all(way and all(type(label) is int and label > BLANK for label in way) for way in judge["ways"]):
            raise ValueError(f"ways is {str(judge['ways'])[:40]}, expected numbers of phones")
    return about


class Word:
    """From the logits of one word, window by window, to its detections."""

    def __init__(self, about: dict[str, Any], sensitivity: float) -> None:
        self.about, self.name = about, about["word"]
        self.threshold = threshold_at(about, sensitivity)
        self.reset()

    @property
    def lowest_score(self) -> float:
        """From which on a detection is one."""
        return score_of(self.threshold / self.about["temperature"])

    def reset(self) -> None:
        self.last: deque[float] = deque(maxlen=self.about["of"])
        self.armed, self.since = True, float("inf")

    def step(self, logit: float) -> float | None:
        """The log odds of a detection, None where this window is none: `votes` of the last `of` windows lie above the
        threshold, the score had fallen under it before, and the last detection is long enough ago."""
        about = self.about
        self.last.append(logit)
        votes = about["votes"]
        vote = sorted(self.last, reverse=True)[votes - 1] if len(self.last) >= votes else -np.inf
        self.since += 1
        if vote < self.threshold - about["hysteresis"]:
            self.armed = True
        free = self.since > self._windows(about["lockout_s"])
        if not (self.armed and free and vote >= self.threshold):
            return None
        self.armed, self.since = False, 0
        return float(vote / about["temperature"])

    def _windows(self, seconds: float) -> int:
        hop: int = self.about["hop_samples"]
        return round(seconds * RATE_HZ / hop)

    def reject(self) -> None:
        """The last detection was none: the next may follow two windows later, while the score is still high."""
        self.armed, self.since = True, self._windows(self.about["lockout_s"]) - 1

    def accept(self) -> None:
        """A judge took the last detection for the word: the next may follow when it hears nothing of it any more. At
        the low threshold from which on it is asked, the score may stay high long after the word."""
        of_judge, own = self._windows(JUDGED_S), self._windows(self.about["lockout_s"])
        self.armed, self.since = True, min(0, own - of_judge)


@dataclass(frozen=True)
class Place:
    """Where a word fits best: its score in nats per phone, at most 0, the first frame of each phone [L], and the frame
    after the last."""

    score: float
    starts: np.ndarray
    end: int


def place_of(log_probs: np.ndarray, labels: Sequence[int]) -> Place | None:
    """The best place (Viterbi) of a word's phones in [T, V] log posteriors of phones, against the best path through any
    phones over the same frames (keyword against filler, Rohlicek et al. 1989); None where they are too few frames for
    the labels."""
    if len(log_probs) < len(labels):
        return None
    states = np.full(2 * len(labels) - 1, BLANK, dtype=np.int64)
    states[::2] = labels
    skips = np.zeros(len(states), dtype=bool)
    skips[2::2] = states[2::2] != states[:-2:2]
    apart = (log_probs - log_probs.max(axis=1, keepdims=True))[:, states]
    # How many states back a path came from, the last of the choices: here the word begins, which it may anywhere.
    choices = np.full((4, len(states)), NEVER)
    choices[3, 0] = 0.0
    came_from = np.zeros(apart.shape, dtype=np.int64)
    score = np.full(len(states), NEVER)
    best, last = NEVER, -1
    for frame, row in enumerate(apart):
        choices[0] = score
        choices[1, 1:] = score[:-1]
        choices[2, 2:] = np.where(skips[2:], score[:-2], NEVER)
        came_from[frame] = choices.argmax(axis=0)
        score = choices.max(axis=0) + row
        if score[-1] > best:
            best, last = float(score[-1]), frame
    if best <= NEVER / 2:
        return None
    starts = np.zeros(len(labels), dtype=np.int64)
    frame, state = last, len(states) - 1
    while True:
        starts[state // 2] = frame if state % 2 == 0 else starts[state // 2]
        if came_from[frame, state] == 3:
            return Place(best / len(labels), starts, last + 1)
        frame, state = frame - 1, state - int(came_from[frame, state])


def best_place(log_probs: np.ndarray, ways: Sequence[Sequence[int]]) -> Place | None:
    """Where any of the pronunciations fits best; None where there are too few frames."""
    places = [place for way in ways if (place := place_of(log_probs, way)) is not None]
    return max(places, key=lambda place: place.score, default=None)


def states_at(states: np.ndarray, place: Place) -> np.ndarray:
    """Of a listener's states [T, width] the average [n_phones, width] over the frames of each phone, from halfway after
    the one before to halfway before the next."""
    middles = (place.starts[1:] + place.starts[:-1]) / 2
    firsts = np.r_[max(0, place.starts[0] - AROUND), np.ceil(middles)].astype(np.int64)
    ends = np.r_[np.floor(middles) + 1, min(len(states), place.end + AROUND)].astype(np.int64)
    means = [states[a : max(b, a + 1)].mean(axis=0) for a, b in zip(firsts, ends, strict=True)]
    return np.asarray(means, dtype=np.float32)


def all_of(logits: np.ndarray) -> np.ndarray:
    """The log odds that all are true, of logits [..., n] of each."""
    log_chance = np.minimum(-np.logaddexp(0.0, -logits).sum(axis=-1), -1e-6)
    return np.asarray(log_chance - np.log(-np.expm1(log_chance)))


@dataclass(frozen=True)
class WordWeights:
    """What was learnt of a word: of the word as a whole `weights` [n_phones * width] and `bias`, of each phone
    `phone_weights` [n_phones * width] and `phone_bias` [n_phones]; `mean` [n_phones * width] is of the states."""

    mean: np.ndarray
    weights: np.ndarray
    bias: float
    phone_weights: np.ndarray
    phone_bias: np.ndarray

    def logit(self, states: np.ndarray) -> float:
        """Of the states [n_phones * width] at the word's place: as a whole, and by all of its phones together."""
        apart = states - self.mean
        phones = (apart * self.phone_weights).reshape(len(self.phone_bias), -1).sum(axis=1) + self.phone_bias
        return float(apart @ self.weights + self.bias + all_of(phones.astype(np.float64)))


def opened(file: Path) -> onnxruntime.InferenceSession:
    """On one core. Raises onnxruntime's own types for a damaged or missing file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


class Judge:
    """Whether a listener of phones hears the word in a sound as it did in the clips that it learnt from."""

    def __init__(self, folder: Path, about: dict[str, Any], sensitivity: float) -> None:
        self.about, self.session = about, opened(folder / "judge.onnx")
        self.limit = about["limit"] + LIMIT_PER_SENSITIVITY * (0.5 - sensitivity)
        values = np.fromfile(folder / "judge.f32", dtype="<f4")
        (n_phones,) = {len(way) for way in about["ways"]}
        log_probs, states = self._heard(np.zeros(round(SHORTEST_S * RATE_HZ)))
        if not max(max(way) for way in about["ways"]) < log_probs.shape[1] or len(states) != len(log_probs):
            raise ValueError(f"judge.onnx answers {log_probs.shape} and {states.shape}")
        n = n_phones * states.shape[1]
        if len(values) != 3 * n + 1 + n_phones or not np.isfinite(values).all():
            raise ValueError(f"judge.f32 has {len(values)} values, expected {3 * n + 1 + n_phones}, all finite")
        mean, weights, phone_weights, bias, phone_bias = np.split(values, [n, 2 * n, 3 * n, 3 * n + 1])
        self.word = WordWeights(mean, weights, float(bias[0]), phone_weights, phone_bias)

    def _heard(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log posteriors [T, V] and states [T, width]."""
        log_probs, states = self.session.run(None, {"sound": samples.astype(np.float32)})
        return log_probs, states

    def __call__(self, samples: np.ndarray) -> float:
        """Of sound [n] at 16 kHz, as log odds that the detector's are added to."""
        if len(samples) < SHORTEST_S * RATE_HZ:
            return NEVER
        log_probs, states = self._heard(samples)
        place = best_place(log_probs.astype(np.float64), self.about["ways"])
        if place is None:
            return NEVER
        learnt = self.word.logit(states_at(states, place).ravel())
        return float(self.about["phones_weight"] * place.score + self.about["learnt_weight"] * learnt)


class Detector:
    """Takes sound at 16 kHz as it comes, after silence; `feed` answers with the detections that it completes, as
    (seconds, score, word). Raises ValueError for a folder whose files do not fit each other, and onnxruntime's own
    types."""

    frames: np.ndarray

    def __init__(self, folder: Path, sensitivity: float = 0.5) -> None:
        self.folder = folder
        self.about = checked(json.loads((folder / "detector.json").read_text(encoding="utf-8-sig")))
        self.session = opened(folder / "model.onnx")
        self.words = [Word({**self.about, **word}, sensitivity) for word in self.about.get("words") or [{}]]
        self.judge: Judge | None = None
        if self.about.get("judge") is not None:
            self.judge = Judge(folder, self.about["judge"], sensitivity)
            self.ask_from(self.about["judge"]["first_threshold"])
        self.reset()
        for _ in range(2):  # without frames before, and with some
            n_samples = self.about["window_samples"] + self.about["hop_samples"]
            if not np.isfinite(self._logits(np.zeros(n_samples, dtype=np.float32), 2)).all():
                raise ValueError("model.onnx answers what are no numbers")
        self.reset()

    def _logits(self, samples: np.ndarray, n_windows: int) -> np.ndarray:
        """[n_windows, n_words] of sound that begins where `frames` do, which the front end does not hear again. Raises
        ValueError for a model that answers otherwise."""
        every = self.about.get("frame_hop_samples")  # a bundle of before 2026-11-28 keeps no frames
        given = {"sound": samples[len(self.frames) * (every or 0) :]}
        if len(self.frames):
            given["before"] = self.frames
        logits, *frames = self.session.run(None, given)
        if every is not None:
            self.frames = frames[0][n_windows * self.about["hop_samples"] // every :]
        return np.asarray(logits, dtype=np.float32).reshape(n_windows, len(self.words))

    @property
    def threshold(self) -> float:
        """In logits; of the first word where there are several."""
        return self.words[0].threshold

    def again(self) -> "Detector":
        """Another one of the same bundle and threshold, at its start."""
        other = copy.copy(self)
        other.words = [copy.copy(word) for word in self.words]
        other.reset()
        return other

    def reset(self) -> None:
        """Begin anew, as at the start of a stream."""
        # A word at the very start has a window, too: as much silence before as leaves the first window some sound.
        span, step = self.about["window_samples"], self.about["hop_samples"]
        silence = (span - 1) // step * step
        self.buffer = np.zeros(silence, dtype=np.float32)
        self.dropped = -silence  # samples that have gone from the start
        self.frames = np.zeros((0, 0), dtype=np.float32)  # that the front end has made of the buffer's beginning
        self.past = np.zeros(0, dtype=np.float32)  # the last of those, for the judge
        for word in self.words:
            word.reset()

    def aim(self, false_alarms_per_hour: float) -> None:
        """Set the thresholds for a rate of false alarms, by the curve."""
        for word in self.words:
            target = false_alarms_at(word.about, 0.5)
            sensitivity = 0.5 + float(np.log(false_alarms_per_hour / target) / np.log(RANGE)) / 2.0
            word.threshold = threshold_at(word.about, sensitivity)

    def ask_from(self, threshold: float | None) -> None:
        """Leave the decision to a judge: detect from this threshold on, without one at FIRST_FAH by the curve."""
        if threshold is None:
            self.aim(FIRST_FAH)
        else:
            self.words[0].threshold = threshold

    def judged(self, name: str, is_word: bool) -> None:
        """Whether the last detection of that word was one."""
        for word in self.words:
            if word.name == name:
                word.accept() if is_word else word.reject()

    def feed(self, samples: np.ndarray) -> list[tuple[float, float, str]]:
        self.buffer = np.concatenate([self.buffer, samples.astype(np.float32)])
        span, step = self.about["window_samples"], self.about["hop_samples"]
        n_windows = 1 + (len(self.buffer) - span) // step
        if n_windows < 1:
            return []
        logits = self._logits(self.buffer[: span + (n_windows - 1) * step], n_windows)
        ends = self.dropped + span + step * np.arange(n_windows)
        kept, begins = np.concatenate([self.past, self.buffer]), self.dropped - len(self.past)
        detections = []
        for end, of_window in zip(map(int, ends), logits, strict=True):
            for word, logit in zip(self.words, of_window, strict=True):
                log_odds = word.step(float(logit))
                if log_odds is not None and self.judge is not None:
                    heard = kept[max(0, end - round(JUDGED_S * RATE_HZ)) - begins : end - begins]
                    log_odds += self.judge(heard) - self.judge.limit
                    self.judged(word.name, log_odds >= 0.0)
                    if log_odds < 0.0:
                        continue
                if log_odds is not None:
                    score = score_of(log_odds)
                    detections.append((round(end / RATE_HZ, 3), round(score, 4), word.name))
        gone = n_windows * step
        if self.judge is not None:
            self.past = kept[: len(self.past) + gone][-round(JUDGED_S * RATE_HZ) :]
        self.buffer, self.dropped = self.buffer[gone:], self.dropped + gone
        return detections


def false_alarms_at(about: dict[str, Any], sensitivity: float) -> float:
    """Per hour, that a sensitivity asks for."""
    target = max(0.01, float(about["target_false_alarms_per_hour"]))
    return float(target * RANGE ** (2.0 * sensitivity - 1.0))


def score_of(log_odds: float) -> float:
    """What is told of a detection, between 0 and 1."""
    return float(1.0 / (1.0 + np.exp(-log_odds)))


def threshold_at(about: dict[str, Any], sensitivity: float) -> float:
    """In logits: that of the bundle at .5, elsewhere moved as far as the curve of false alarms per hour moves. Between
    its points straight lines over the logarithm of the rate, beyond them the line through all."""
    curve = sorted((point["fah"], point["threshold"]) for point in about.get("curve", []) if point["fah"] > 0)
    if len({rate for rate, _ in curve}) < 2:
        return float(about["threshold"]) + PER_SENSITIVITY * (0.5 - sensitivity)
    rates = np.log([rate for rate, _ in curve])
    thresholds = np.minimum.accumulate([threshold for _, threshold in curve])
    slope = min(FLATTEST, float(np.polyfit(rates, thresholds, 1)[0]))

    def at(level: float) -> float:
        rate = np.log(false_alarms_at(about, level))
        inside = float(np.interp(rate, rates, thresholds))
        return inside + slope * float(rate - np.clip(rate, rates[0], rates[-1]))

    return float(about["threshold"]) + at(sensitivity) - at(0.5)


def blocks_of(source: str) -> Iterator[np.ndarray]:
    """Sound at 16 kHz, block by block, and the silence that it ends in."""
    n = round(BLOCK_S * RATE_HZ)
    if source == "-":
        while data := sys.stdin.buffer.read(2 * n):
            yield np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2") / 32_768.0
    else:
        yield from read_wav(source)
    yield silence_after()


def silence_after() -> np.ndarray:
    """A detector waits for what follows a word."""
    return np.zeros(round(AFTER_S * RATE_HZ), dtype=np.float32)


def read_wav(path: str) -> Iterator[np.ndarray]:
    """Mono at 16 kHz, at most a second at a time. Raises ValueError for what is no WAV file or has samples that are not
    read here: whole numbers of 8 to 32 bits and floats are."""
    with Path(path).open("rb") as file:
        kind, channels, rate_hz, width, size = opened_wav(file)
        if not channels or not LOWEST_HZ <= rate_hz <= HIGHEST_HZ or (kind, width) not in SAMPLES:
            raise ValueError(f"samples of kind {kind} with {8 * width} bits in {channels} channels at {rate_hz} Hz")
        frame = width * channels
        parts = pieces_of(file, size, min(rate_hz, max(1, MOST_BYTES // frame)) * frame)
        mono = (values_of(data[: len(data) // frame * frame], kind, width) for data in parts)
        blocks = (values.reshape(-1, channels).mean(axis=1) for values in mono)
        yield from blocks if rate_hz == RATE_HZ else resampled(blocks, rate_hz)


def pieces_of(file: BinaryIO, size: int, most: int) -> Iterator[bytes]:
    """The next `size` bytes, or all to the end of a shorter file: what follows the sound is text about it. Who wrote
    while recording knew no size, and left 0."""
    left = size or sys.maxsize
    while left > 0 and (data := file.read(min(most, left))):
        left -= len(data)
        yield data


def opened_wav(file: BinaryIO) -> tuple[int, int, int, int, int]:
    """Kind of samples, channels, rate in Hz, bytes of a sample and of all samples; the file is at its first sample
    then."""
    if file.read(4) != b"RIFF" or len(file.read(4)) != 4 or file.read(4) != b"WAVE":
        raise ValueError("it is no WAV file")
    about: tuple[int, int, int, int] | None = None
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"data" and about is not None:
            return *about, size
        content = b"".join(pieces_of(file, size + size % 2, MOST_BYTES)) if size else b""
        if name == b"fmt " and len(content) >= 16:
            kind, channels, rate_hz, _bytes_per_s, _block, bits = struct.unpack("<HHIIHH", content[:16])
            if kind == EXTENSIBLE and len(content) >= 26:
                (kind,) = struct.unpack("<H", content[24:26])
            about = kind, channels, rate_hz, bits // 8
    raise ValueError("it ends too early")


def values_of(data: bytes, kind: int, width: int) -> np.ndarray:
    """From -1 to 1, of samples of a kind and number of bytes in SAMPLES."""
    if kind == FLOAT:
        return np.asarray(np.nan_to_num(np.frombuffer(data, dtype=f"<f{width}")).clip(-1.0, 1.0))
    if width == 1:
        return (np.frombuffer(data, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
    if width == 3:
        padded = np.frombuffer(data, dtype=np.uint8).reshape(-1, 3)
        whole = np.concatenate([np.zeros((len(padded), 1), np.uint8), padded], axis=1)
        return whole.view("<i4").ravel() / 2.0**31
    return np.frombuffer(data, dtype=f"<i{width}") / 2.0 ** (8 * width - 1)


def resampled(blocks: Iterator[np.ndarray], rate_hz: int) -> Iterator[np.ndarray]:
    """Second by second, by a windowed sinc, band-limited to the lower of the two rates."""
    ratio = RATE_HZ / rate_hz
    scale = min(1.0, ratio)
    places = np.arange(RATE_HZ) / ratio
    first = np.floor(places).astype(int)
    half = int(np.ceil(HALF_TAPS / scale))
    weights = np.zeros((2 * half, RATE_HZ), dtype=np.float32)  # of each sample around a place: in every second the same
    for number in range(2 * half):
        distance = first + number + 1 - half - places
        weights[number] = scale * np.sinc(scale * distance) * (0.5 + 0.5 * np.cos(np.pi * distance / half))

    def second(known: np.ndarray) -> np.ndarray:
        out = np.zeros(RATE_HZ)
        for number, weight in enumerate(weights):
            out += weight * known[first + number + 1]
        return out

    known = np.zeros(half)
    for block in blocks:
        known = np.concatenate([known, block])
        if len(known) >= rate_hz + 2 * half:
            yield second(known)
            known = known[rate_hz:]
    n_left = len(known) - half
    known = np.pad(known, (0, rate_hz + half))
    while n_left > 0:
        yield second(known)[: min(n_left, rate_hz) * RATE_HZ // rate_hz]
        known, n_left = known[rate_hz:], n_left - rate_hz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FILE.wav", help="a WAV file, or - for standard input")
    parser.add_argument("--sensitivity", type=float, default=0.5, help="0 to 1; .5 is that of the bundle")
    given = parser.parse_args()
    if not 0.0 <= given.sensitivity <= 1.0:
        parser.error(f"--sensitivity lies between 0 and 1, got {given.sensitivity}")
    folder = Path(__file__).resolve().parent
    try:
        detector = Detector(folder, given.sensitivity)
    except Exception as error:  # noqa: BLE001  onnxruntime raises types of its own
        print(f"{folder} holds no bundle that can be used ({error}). Unpack it again.", file=sys.stderr)
        return 1
    try:
        for block in blocks_of(given.source):
            for at_s, score, word in detector.feed(block):
                which = {"word": word} if len(detector.words) > 1 else {}
                print(json.dumps({"at_s": at_s, "score": score, **which}, ensure_ascii=False), flush=True)
    except BrokenPipeError:  # whoever reads the lines has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written when Python ends
        return 1
    except OSError as error:
        print(f"{given.source} cannot be read ({error.strerror}).", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"{given.source} cannot be read ({error}). Save it as a WAV file of 16-bit PCM.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
