"""How a text was read: which pronunciation of each word was used, and which attempts were broken off.

A Viterbi search through a graph of CTC states: each word has its variants side by side, blanks may stand between and
inside words (silence costs nothing), and from inside or after a word the reader may go back and begin it, or the word
before, again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.speech.listening.ctc import BLANK, NEVER

# Going back must be worth more than what greedy posteriors gain by chance; e^-10 a retry.
RETRY = -10.0
BACK_WORDS = 2


@dataclass(frozen=True)
class Reading:
    """`variants[w]` is the index of the pronunciation used for word w; `abandoned` are frames [T] of attempts that were
    begun again later."""

    variants: tuple[int, ...]
    abandoned: NDArray[np.bool_]
    log_prob: float

    @property
    def n_retries(self) -> int:
        edges = np.diff(self.abandoned.astype(np.int8), prepend=0)
        return int((edges == 1).sum())


@dataclass(frozen=True)
class _State:
    label: int
    word: int
    variant: int
    place: int  # phone number in the variant; -1 for the blank before the word


def read(log_probs: NDArray[np.float64], words: Sequence[Sequence[Sequence[int]]]) -> Reading:
    """`words[w]` are the pronunciations of word w as label numbers. Raises ValueError where the frames cannot hold
    even the shortest reading."""
    states, before, cost, final = _graph(words)
    labels = np.array([state.label for state in states])
    n_frames = len(log_probs)
    score = np.full(len(states) + 1, NEVER)
    for index, state in enumerate(states):
        if state.word == 0 and state.place <= 0:
            score[index] = log_probs[0, state.label]
    came_from = np.zeros((n_frames, len(states)), dtype=np.int16)
    rows = np.arange(len(states))
    for frame in range(1, n_frames):
        options = score[before] + cost
        best = options.argmax(axis=1)
        came_from[frame] = best
        score[:-1] = options[rows, best] + log_probs[frame, labels]
    last = max(final, key=lambda index: score[index])
    if score[last] < NEVER / 2:
        raise ValueError(f"{len(words)} words do not fit into {n_frames} frames")
    path = np.empty(n_frames, dtype=np.int64)
    path[-1] = last
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = before[path[frame], came_from[frame, path[frame]]]
    return _reading(path, states, len(words), float(score[last]))


def _graph(
    words: Sequence[Sequence[Sequence[int]]],
) -> tuple[list[_State], NDArray[np.int64], NDArray[np.float64], list[int]]:
    """States, the predecessors of each [S, K] with their costs [S, K], and the states a path may end in."""
    states: list[_State] = []
    blank_before: list[int] = []
    chains: list[list[list[int]]] = []  # per word and variant: phone, blank, phone, ..., phone
    for number, variants in enumerate(words):
        blank_before.append(len(states))
        states.append(_State(BLANK, number, -1, -1))
        chains.append([])
        for variant, phones in enumerate(variants):
            chain: list[int] = []
            for place, phone in enumerate(phones):
                if place:
                    chain.append(len(states))
                    states.append(_State(BLANK, number, variant, place))
                chain.append(len(states))
                states.append(_State(phone, number, variant, place))
            chains[-1].append(chain)
    end = len(states)
    states.append(_State(BLANK, len(words), -1, -1))
    blank_before.append(end)
    arcs: list[list[tuple[int, float]]] = [[(index, 0.0)] for index in range(len(states))]
    for number, variants in enumerate(chains):
        lasts = [chain[-1] for chain in variants]
        arcs[blank_before[number + 1]] += [(last, 0.0) for last in lasts]
        after = chains[number + 1] if number + 1 < len(words) else []
        earlier = [chain[-1] for chain in chains[number - 1]] if number else []
        again = [blank_before[n] for n in range(number + 1, min(number + BACK_WORDS, len(words)) + 1)]
        again += [blank for chain in (*variants, *after) for blank in chain[1::2]]
        for chain in variants:
            first = chain[0]
            arcs[first].append((blank_before[number], 0.0))
            arcs[first] += [(last, 0.0) for last in earlier if states[last].label != states[first].label]
            arcs[first] += [(state, RETRY) for state in again]
            for place in range(2, len(chain), 2):
                arcs[chain[place - 1]].append((chain[place - 2], 0.0))
                arcs[chain[place]].append((chain[place - 1], 0.0))
                if states[chain[place]].label != states[chain[place - 2]].label:
                    arcs[chain[place]].append((chain[place - 2], 0.0))
    width = max(map(len, arcs))
    # Missing predecessors point at a state past the last, whose score stays NEVER.
    before = np.full((len(states), width), len(states), dtype=np.int64)
    cost = np.zeros((len(states), width))
    for index, found in enumerate(arcs):
        before[index, : len(found)] = [state for state, _ in found]
        cost[index, : len(found)] = [price for _, price in found]
    return states, before, cost, [end, *(chain[-1] for chain in chains[-1])]


def _reading(path: NDArray[np.int64], states: Sequence[_State], n_words: int, log_prob: float) -> Reading:
    variants = [0] * n_words
    begun = np.zeros(n_words, dtype=np.int64)
    for frame, index in enumerate(path):
        state = states[index]
        if state.place == 0 and (frame == 0 or path[frame - 1] != index):
            begun[state.word] = frame
            variants[state.word] = state.variant
    # Sound of an attempt that was not the last at its word; silence between two such frames belongs to it.
    sounds = [(frame, states[index].word) for frame, index in enumerate(path) if states[index].label != BLANK]
    abandoned = np.zeros(len(path), dtype=np.bool_)
    before: int | None = None
    for frame, word in sounds:
        given_up = frame < begun[word]
        if given_up:
            abandoned[frame if before is None else before : frame + 1] = True
        before = frame if given_up else None
    return Reading(tuple(variants), abandoned, log_prob)
