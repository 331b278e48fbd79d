"""Room impulse responses: measured ones from a folder, and simulated shoebox rooms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from pipeline.audio.load import AUDIO_SUFFIXES, audio_files, distinct_names, load_audio
from pipeline.errors import AudioError, CorpusError
from pipeline.i18n import N_, Message, joined
from pipeline.wakeword.features import RATE_HZ

Samples = NDArray[np.float32]
SHORTEST_S, LONGEST_S = 0.1, 5.0
SILENT = 1e-4  # peak
KEPT = round(0.6 * RATE_HZ)  # what comes later is too faint to matter, and costs time
ROOM_M = ((2.5, 7.0), (2.5, 6.0), (2.3, 3.2))
RT60_S = (0.15, 0.6)


@dataclass(frozen=True)
class MeasuredRooms:
    """`responses` from their direct sound on, of unit energy, with their `names`; `left_out` says in words which files
    are no responses and why, a sentence for each."""

    names: tuple[str, ...]
    responses: tuple[Samples, ...]
    left_out: tuple[str, ...]


def read_rooms(folders: Sequence[str]) -> MeasuredRooms:
    """The measured responses of the folders. Left out is a file that is unreadable, silent, or not between .1 and 5 s
    long. Raises CorpusError for a folder without a single response, naming what is wrong with its files."""
    used: list[Path] = []
    rooms: list[Samples] = []
    left_out: list[str] = []
    for folder in map(Path, folders):
        files = audio_files(folder)
        if not files:
            raise CorpusError(
                N_("{folder} holds no room impulse responses ({endings}). Name another folder, or none."),
                folder=str(folder), endings=", ".join(AUDIO_SUFFIXES),
            )  # fmt: skip
        wrong: list[str] = []
        for path in files:
            try:
                audio = load_audio(path)
            except AudioError as error:
                wrong.append(error.text)
                continue
            if not SHORTEST_S <= audio.duration_s <= LONGEST_S:
                wrong.append(
                    Message(
                        N_("{file} lasts {duration_s:.2f} s, not {shortest:.1f} to {longest:.0f} s."),
                        file=path.name,
                        duration_s=audio.duration_s,
                        shortest=SHORTEST_S,
                        longest=LONGEST_S,
                    )
                )
            elif np.abs(audio.samples).max() < SILENT:
                wrong.append(Message(N_("{file} is silent."), file=path.name))
            else:
                used.append(path)
                rooms.append(unit(audio.samples))
        if len(wrong) == len(files):
            raise CorpusError(
                N_("{folder} holds no room impulse response that can be used: {reasons}"),
                folder=str(folder),
                reasons=joined(wrong, ""),
            )
        left_out += wrong
    return MeasuredRooms(distinct_names(used), tuple(rooms), tuple(left_out))


def simulate_rooms(n: int, seed: int) -> list[Samples]:
    """Responses of shoebox rooms of living and office size, source and microphone anywhere in them (image method,
    Allen and Berkley 1979, by pyroomacoustics); reverberation times of .15 to .6 s."""
    import pyroomacoustics

    draw = np.random.default_rng(seed)
    rooms: list[Samples] = []
    while len(rooms) < n:
        size = np.array([draw.uniform(*side) for side in ROOM_M])
        try:
            absorption, order = pyroomacoustics.inverse_sabine(draw.uniform(*RT60_S), size)
        except ValueError:
            continue  # no walls absorb enough for so short a time in so large a room
        room = pyroomacoustics.ShoeBox(
            size, fs=RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=min(order, 12)
        )
        room.add_source(size * draw.uniform(0.15, 0.85, 3))
        room.add_microphone(size * draw.uniform(0.15, 0.85, 3))
        room.compute_rir()
        rooms.append(unit(np.asarray(room.rir[0][0], dtype=np.float32)))
    return rooms


def simulate_at(distance_m: float) -> Samples:
    """A living room of 7 x 5 x 2.6 m with a reverberation time of .4 s, the talker `distance_m` from the microphone."""
    import pyroomacoustics

    size = np.array([7.0, 5.0, 2.6])
    absorption, order = pyroomacoustics.inverse_sabine(0.4, size)
    room = pyroomacoustics.ShoeBox(size, fs=RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=order)
    room.add_microphone([1.0, 2.3, 1.1])
    room.add_source([1.0 + distance_m, 2.5, 1.5])
    room.compute_rir()
    return unit(np.asarray(room.rir[0][0], dtype=np.float32))


def reverberate(samples: Samples, room: Samples, wet: float) -> Samples:
    """A mix of the dry sound and the reverberated one of the same length, of the dry sound's energy."""
    mixed = (1.0 - wet) * samples + wet * fftconvolve(samples, room)[: len(samples)]
    energy = float(np.square(mixed).sum())
    scale = np.sqrt(float(np.square(samples).sum()) / energy) if energy > 0 else 1.0
    return np.asarray(mixed * scale, dtype=np.float32)


def unit(response: Samples) -> Samples:
    late = response[np.abs(response).argmax() :][:KEPT]
    return np.asarray(late / np.sqrt(np.square(late).sum()), dtype=np.float32)
