"""How often the marks on single Turkish sounds are right on the demo, whose faults are known to the sound.

    python -m tests.bench.sounds_study

Each recording is judged as the Practise page judges it, beside the demo's reference. docs/results/turkish-sounds.md has
the figures. The words are none that the model was fitted to; of the voices, m7, f3 and f5 (participants 03, 05 and 07)
were not heard in training either.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.audio.load import load_audio
from pipeline.importing import demo_turkish as turkish
from pipeline.importing.demo_synthesis import PARTICIPANTS, SEED, SPOKEN, draw_faults
from pipeline.importing.demo_turkish import WORDS, Phones
from pipeline.records import RubricName, Target, Verdict
from pipeline.scoring.sounds.judging import judged_word
from pipeline.scoring.sounds.training.evaluation import auc
from pipeline.scoring.sounds.training.spoken_words import by_letters
from pipeline.settings import CHECKOUT, Settings
from pipeline.text.turkish import sounds_of

DEMO = CHECKOUT / "data" / "demo"
UNHEARD = ("participant_03", "participant_05", "participant_07")
SIGNAL = ("noisy", "clipped", "muffled")


@dataclass(frozen=True)
class Judged:
    """One sound of a demo recording: whether it is wrong, the probability that the model gives, and whether it is
    marked; `kinds` are the recording's faults."""

    participant: str
    word: str
    letter: str
    wrong: bool
    probability: float
    marked: bool
    kinds: tuple[str, ...]


def wrong_letters(participant: str, word: str, phones: Phones) -> tuple[tuple[bool, ...], tuple[str, ...]] | None:
    """Which letters are wrong in that recording, by the draw that made it, and its kinds of fault; None for a word
    whose letters share sounds (`ağaç`)."""
    letters = sounds_of(word)
    if by_letters(letters, "".join(phones)) is None or len(letters) != len(phones):
        return None
    draw = random.Random(f"{SEED}/{participant}/{word}")  # as `demo_synthesis.make_recording`
    draw.getrandbits(32)
    draw.uniform(0.93, 1.07)
    said, wrong, kinds = phones, [False] * len(letters), []
    for kind, grade in draw_faults(draw):
        kinds.append(kind)
        if kind == "dropped consonant":
            places = [place for place, phone in enumerate(said) if not turkish.is_vowel(phone)]
            dropped = set(draw.sample(places, min(len(places), grade if grade < 3 else len(places))))
            wrong = [value or place in dropped for place, value in enumerate(wrong)]
            said = tuple(phone for place, phone in enumerate(said) if place not in dropped)
        elif kind in SPOKEN:
            changed = SPOKEN[kind](said, grade, draw).phones
            if kind != "wrong stress":
                wrong = [value or before != after for value, before, after in zip(wrong, said, changed, strict=True)]
            said = changed
    return tuple(wrong), tuple(kinds)


def judged(settings: Settings) -> Iterator[Judged]:
    for participant in PARTICIPANTS:
        for number, (word, phones) in enumerate(WORDS.items(), start=1):
            known = wrong_letters(participant, word, phones)
            audio = load_audio(DEMO / participant / "kelimeler" / f"{number:02d}_{word}.wav")
            heard = judged_word(settings, audio, Target(word, "tr", RubricName.WORD), 0.0)
            if known is None or heard is None:
                continue
            for phone, wrong in zip(heard.phones, known[0], strict=True):
                marked = phone.verdict is Verdict.WRONG
                yield Judged(participant, word, phone.phone, wrong, 1 - phone.score / 100, marked, known[1])


def report(name: str, rows: list[Judged]) -> None:
    wrong, marked = np.array([row.wrong for row in rows]), np.array([row.marked for row in rows])
    faultless = {
        (row.participant, row.word): True for row in rows
    } | {(row.participant, row.word): False for row in rows if row.wrong}  # fmt: skip
    clean = np.array([faultless[row.participant, row.word] for row in rows])
    words = {(row.participant, row.word) for row, is_clean in zip(rows, clean, strict=True) if is_clean}
    with_mark = {
        (row.participant, row.word) for row, is_clean in zip(rows, clean, strict=True) if is_clean and row.marked
    }
    value = auc(wrong, np.array([row.probability for row in rows]))
    print(
        f"{name}: {len(rows)} sounds, {wrong.sum()} wrong, AUC {value:.3f}; false marks in words without a wrong sound "
        f"{marked[clean].mean():.1%} of {clean.sum()} sounds, {len(with_mark)} of {len(words)} words; recall "
        f"{marked[wrong].mean():.1%}, precision {wrong[marked].mean():.1%} of {marked.sum()}"
    )


if __name__ == "__main__":
    every = list(judged(Settings.from_env()))
    report("demo, all participants", every)
    report("demo, voices not trained on", [row for row in every if row.participant in UNHEARD])
    report("demo, sound as recorded", [row for row in every if not set(row.kinds) & set(SIGNAL)])
    report("demo, noisy, clipped or muffled", [row for row in every if set(row.kinds) & set(SIGNAL)])
    faults = [row for row in every if row.wrong]
    for kind in ("wrong vowel", "wrong consonant", "dropped consonant"):
        of_kind = [row.marked for row in faults if kind in row.kinds]
        print(f"  in recordings with a {kind}: {np.mean(of_kind):.1%} of {len(of_kind)} wrong sounds are marked")
