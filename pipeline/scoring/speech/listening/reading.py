"""How a text was read: which pronunciation of each word was used, which words were left out, which attempts were broken
off, and what was said that is not in the text.

A Viterbi search through a graph of CTC states: each word has its variants side by side, blanks may stand between and
inside words (silence costs nothing), from inside or after a word the reader may go back and begin it, or the word
before, again, and after the last word the whole text. A word may be passed over, and between words a state stands for
any other speech, each at a price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.speech.listening.ctc import BLANK, NEVER
from pipeline.spans import runs_of

# Nats. Going back must be worth more than what greedy posteriors gain by chance; so must leaving a word out, and saying
# something else. Chosen on cut and spliced recordings of training speakers that the listener never heard.
RETRY = -10.0
LEFT_OUT = -20.0
ALSO_LEFT_OUT = -15.0  # each further word in a row
OTHER_SPEECH = -16.0
BACK_WORDS = 2
# A phone takes four frames: with more than one loud one for each phone of words that were passed over, they were said.
QUIET_DB = 15.0  # under the level of what was read
BESIDE_FRAMES = 4  # of a gap belong to the words beside it, of which CTC marks the middle
MOST_LOUD_FRAMES = 1.0
MOST_SLOWER = 0.3  # in log frames a phone


@dataclass(frozen=True)
class Reading:
    """`variants[w]` is the index of the pronunciation used for word w, None for a word that was passed over; `spans[w]`
    are its frames, from its first phone to its last, end exclusive. `abandoned` are frames [T] of attempts that were
    begun again later, `other` those [T] of speech that is not in the text."""

    variants: tuple[int | None, ...]
    spans: tuple[tuple[int, int] | None, ...]
    abandoned: NDArray[np.bool_]
    other: NDArray[np.bool_]
    log_prob: float

    @property
    def n_retries(self) -> int:
        return len(_stretches(self.abandoned))

    @property
    def others(self) -> list[tuple[int, int]]:
        """Frames of each stretch of speech that is not in the text, end exclusive."""
        return _stretches(self.other)

    def left_out(self, n_phones: Sequence[int], level_db: NDArray[np.float64]) -> list[int]:
        """Numbers of the words that were passed over and in whose place nothing was said, with the phones of each word
        and the level of each frame [T]; of the others, something was said that is hardly like them, or is taken for a
        part of the words beside them."""
        inside = np.zeros(len(level_db), dtype=np.bool_)
        for start, end in filter(None, self.spans):
            inside[start:end] = True
        loud = level_db > np.median(level_db[inside]) - QUIET_DB if inside.any() else inside
        left_out: list[int] = []
        for is_read, group in groupby(range(len(self.spans)), key=lambda number: self.spans[number] is not None):
            numbers = list(group)
            if not is_read and self._is_quiet_between(numbers, n_phones, loud) and self._fits(numbers, n_phones, loud):
                left_out += numbers
        return left_out

    def _is_quiet_between(self, passed: Sequence[int], n_phones: Sequence[int], loud: NDArray[np.bool_]) -> bool:
        before = max((span[1] for span in filter(None, self.spans[: passed[0]])), default=-BESIDE_FRAMES)
        after = min((span[0] for span in filter(None, self.spans[passed[-1] :])), default=len(loud) + BESIDE_FRAMES)
        n_loud = int(loud[before + BESIDE_FRAMES : max(0, after - BESIDE_FRAMES)].sum())
        return n_loud <= MOST_LOUD_FRAMES * sum(n_phones[number] for number in passed)

    def _fits(self, passed: Sequence[int], n_phones: Sequence[int], loud: NDArray[np.bool_]) -> bool:
        """Whether the words beside those that were passed over are read about as fast as the rest; with the sound of
        such a word in them they would be slow, and as fast as the rest only together with it."""
        beside = [n for n in (passed[0] - 1, passed[-1] + 1) if 0 <= n < len(self.spans)]
        rest = [number for number, span in enumerate(self.spans) if span is not None and number not in beside]
        if not rest:
            return True

        def frames(start: int, end: int) -> float:
            return max(1.0, float(loud[start:end].sum()))

        spans = {number: span for number, span in enumerate(self.spans) if span is not None}
        usual = float(np.median([frames(*spans[number]) / n_phones[number] for number in rest]))
        start = spans[beside[0]][0] if passed[0] > 0 else 0
        end = spans[beside[-1]][1] if passed[-1] + 1 < len(self.spans) else len(loud)
        n_beside = sum(n_phones[number] for number in beside)
        n_passed = sum(n_phones[number] for number in passed)
        without = frames(start, end) / n_beside
        together = frames(start, end) / (n_beside + n_passed)
        return bool(abs(np.log(without / usual)) <= abs(np.log(together / usual)) + MOST_SLOWER)


@dataclass(frozen=True)
class _State:
    label: int
    word: int
    variant: int
    place: int  # phone number in the variant; -1 for the blank and for other speech before the word


def read(
    log_probs: NDArray[np.float64], words: Sequence[Sequence[Sequence[int]]], *, text_alone: bool = False
) -> Reading:
    """`words[w]` are the pronunciations of word w as label numbers; with `text_alone` nothing else was said. Raises
    ValueError where the frames cannot hold even the shortest reading."""
    anything = log_probs.shape[1]
    graph = _graph(words, anything)
    states, before, cost = graph.states, graph.before, graph.cost
    labels = np.array([state.label for state in states])
    # Other speech is as likely as the likeliest label.
    emitted = np.column_stack([log_probs, np.full(len(log_probs), NEVER) if text_alone else log_probs.max(axis=1)])
    n_frames = len(log_probs)
    score = np.full(len(states) + 1, NEVER)
    score[:-1] = graph.begin + emitted[0, labels]
    came_from = np.zeros((n_frames, len(states)), dtype=np.int16)
    rows = np.arange(len(states))
    for frame in range(1, n_frames):
        options = score[before] + cost
        best = options.argmax(axis=1)
        came_from[frame] = best
        score[:-1] = options[rows, best] + emitted[frame, labels]
    ends = score[:-1] + graph.end
    last = int(ends.argmax())
    if ends[last] < NEVER / 2:
        raise ValueError(f"{len(words)} words do not fit into {n_frames} frames")
    path = np.empty(n_frames, dtype=np.int64)
    path[-1] = last
    for frame in range(n_frames - 1, 0, -1):
        path[frame - 1] = before[path[frame], came_from[frame, path[frame]]]
    return _reading(path, states, len(words), anything, float(ends[last]))


@dataclass(frozen=True)
class _Graph:
    """`before` [S, K] are the predecessors of each state and `cost` [S, K] their prices, `begin` and `end` [S] those of
    a path that begins or ends there."""

    states: list[_State]
    before: NDArray[np.int64]
    cost: NDArray[np.float64]
    begin: NDArray[np.float64]
    end: NDArray[np.float64]


def _graph(words: Sequence[Sequence[Sequence[int]]], anything: int) -> _Graph:
    states: list[_State] = []
    gaps: list[int] = []  # the blank before each word, and the one after the last
    passed: list[int] = []  # the same where the word before it was passed over
    others: list[int] = []  # other speech there
    chains: list[list[list[int]]] = []  # per word and variant: phone, blank, phone, ..., phone

    def add(label: int, word: int, variant: int = -1, place: int = -1) -> int:
        states.append(_State(label, word, variant, place))
        return len(states) - 1

    for number, variants in enumerate([*words, []]):
        gaps.append(add(BLANK, number))
        passed.append(add(BLANK, number))
        others.append(add(anything, number))
        chains.append([])
        for variant, phones in enumerate(variants):
            chain: list[int] = []
            for place, phone in enumerate(phones):
                if place:
                    chain.append(add(BLANK, number, variant, place))
                chain.append(add(phone, number, variant, place))
            chains[-1].append(chain)
    arcs: list[list[tuple[int, float]]] = [[(index, 0.0)] for index in range(len(states))]
    begin, end = np.full(len(states), NEVER), np.full(len(states), NEVER)
    for number, variants in enumerate(chains):
        # Where a path may stand before this word, and where before the last one, which it passes over.
        earlier = [chain[-1] for chain in chains[number - 1]] if number else []
        before_last = [(gaps[number - 1], LEFT_OUT), (passed[number - 1], ALSO_LEFT_OUT)] if number else []
        before_last += [(chain[-1], LEFT_OUT) for chain in chains[number - 2]] if number > 1 else []
        arcs[gaps[number]] += [(state, 0.0) for state in earlier]
        arcs[passed[number]] += before_last
        # Speech in the place of a word is that word, said wrong: no word is passed over beside it.
        arcs[others[number]] += [(state, OTHER_SPEECH) for state in (*earlier, gaps[number])]
        n_left = len(words) - number
        begin[passed[number] if number else gaps[0]] = _price(number)
        end[gaps[number]], end[passed[number]] = _price(n_left), n_left * ALSO_LEFT_OUT
        after = chains[number + 1] if number + 1 < len(words) else []
        again = [gaps[n] for n in range(number + 1, min(number + BACK_WORDS, len(words)) + 1)]
        again += [blank for chain in (*variants, *after) for blank in chain[1::2]]
        if number == 0 and len(words) > BACK_WORDS:
            again.append(gaps[-1])
        for chain in variants:
            first = chain[0]
            begin[first] = _price(number)
            end[chain[-1]] = _price(n_left - 1)  # the word itself was said
            arcs[first] += [(state, 0.0) for state in (gaps[number], passed[number], others[number])]
            enter = [*((state, 0.0) for state in earlier), *before_last]
            arcs[first] += [(state, price) for state, price in enter if states[state].label != states[first].label]
            arcs[first] += [(state, RETRY) for state in again]
            for place in range(2, len(chain), 2):
                arcs[chain[place - 1]].append((chain[place - 2], 0.0))
                arcs[chain[place]].append((chain[place - 1], 0.0))
                if states[chain[place]].label != states[chain[place - 2]].label:
                    arcs[chain[place]].append((chain[place - 2], 0.0))
    begin[others[0]], end[others[-1]] = OTHER_SPEECH, 0.0
    width = max(map(len, arcs))
    # Missing predecessors point at a state past the last, whose score stays NEVER.
    before = np.full((len(states), width), len(states), dtype=np.int64)
    cost = np.zeros((len(states), width))
    for index, found in enumerate(arcs):
        before[index, : len(found)] = [state for state, _ in found]
        cost[index, : len(found)] = [price for _, price in found]
    return _Graph(states, before, cost, begin, end)


def _price(n_words: int) -> float:
    """Of so many words in a row that are passed over."""
    return LEFT_OUT + (n_words - 1) * ALSO_LEFT_OUT if n_words else 0.0


def _reading(
    path: NDArray[np.int64], states: Sequence[_State], n_words: int, anything: int, log_prob: float
) -> Reading:
    variants: list[int | None] = [None] * n_words
    begun = np.zeros(n_words + 1, dtype=np.int64)
    for frame, index in enumerate(path):
        state = states[index]
        if state.place == 0 and (frame == 0 or path[frame - 1] != index):
            begun[state.word] = frame
            variants[state.word] = state.variant
    other = np.array([states[index].label == anything for index in path])
    # Sound of an attempt that was not the last at its word; silence between two such frames belongs to it.
    sounds = [
        (frame, states[index].word)
        for frame, index in enumerate(path)
        if states[index].place >= 0 and states[index].label != BLANK
    ]
    abandoned = np.zeros(len(path), dtype=np.bool_)
    before: int | None = None
    for frame, word in sounds:
        given_up = frame < begun[word]
        if given_up:
            abandoned[frame if before is None else before : frame + 1] = True
        before = frame if given_up else None
    of_word = np.array([states[index].word if states[index].place >= 0 else -1 for index in path])
    of_word[np.arange(len(path)) < begun[of_word]] = -1  # of an earlier attempt
    spans = [None if variants[number] is None else _span(of_word == number) for number in range(n_words)]
    return Reading(tuple(variants), tuple(spans), abandoned, other, log_prob)


def _span(frames: NDArray[np.bool_]) -> tuple[int, int]:
    where = np.flatnonzero(frames)
    return int(where[0]), int(where[-1]) + 1


def _stretches(frames: NDArray[np.bool_]) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in runs_of(frames)]
