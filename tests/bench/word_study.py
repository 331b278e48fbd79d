"""How often the check for another Turkish word is wrong, and which word of a minimal pair was said.

    python -m tests.bench.word_study words      the demo's voices and 21 others, words of the list and of no list
    python -m tests.bench.word_study pairs      Turkish minimal pairs in 12 voices
    python -m tests.bench.word_study english FOLDER rows.jsonl
                                                English ones: words cut out of read sentences of speechocean762

FOLDER and rows.jsonl are those of `statement_study`. The Turkish voices are all eSpeak NG's, which must be installed.
docs/results/practice.md has the figures.
"""

import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.load import Audio, from_samples, load_audio
from pipeline.audio.speech import MARGINS, cut_to, find_speech
from pipeline.features.alignment import References, WordMatch, match_word, speech_part
from pipeline.importing.demo_synthesis import spoil
from pipeline.importing.demo_turkish import WORDS
from pipeline.practice.contrasts import contrasts
from pipeline.practice.pair_scoring import UNSURE_DB, UNSURE_NATS, english_lead, voice_lead
from pipeline.records import RubricName
from pipeline.scoring.other_word import THRESHOLD_DB, strangeness_db
from pipeline.settings import CHECKOUT, Settings
from pipeline.synthesis import espeak
from pipeline.text import lines_of

DEMO = CHECKOUT / "data" / "demo"
OF_DEMO = ("m1", "f2", "m7", "f4", "f3", "m5", "f5", "m2", "m3")
FRESH = tuple(variant for variant in espeak.VARIANTS if variant not in OF_DEMO)
OF_NO_LIST = (
    "otobüs", "tramvay", "ekmek", "merhaba", "teşekkür", "günaydın", "anne", "baba", "kardeş", "sokak", "bahçe",
    "okumak", "yazmak", "bardak", "tabak", "çatal", "bıçak", "kaşık", "tavuk", "domates", "patates", "soğan", "havuç",
    "portakal", "muz", "kiraz", "armut", "üzüm", "kavun", "telefon", "bilgisayar", "ayakkabı", "şapka", "gömlek",
    "pantolon", "ceket", "çanta", "anahtar",
)  # fmt: skip
SEED = 5
FAULTLESS_FROM = 60.0


@dataclass(frozen=True)
class Asked:
    """A recording of `said`, measured as an attempt at `word`."""

    group: str
    said: str
    word: str
    match: WordMatch


def cut(audio: Audio) -> Audio:
    return cut_to(audio, find_speech(audio, RubricName.WORD), MARGINS[RubricName.WORD]).audio


def worse(audio: Audio, noise: np.random.Generator) -> Audio:
    """As from a worse room: pink noise 20 dB under the speech, nothing above 2.5 kHz."""
    return from_samples(spoil(spoil(audio.samples, "muffled", 1, noise), "noisy", 1, noise), audio.sample_rate_hz)


def words() -> None:
    references = References(Settings.from_env()).of_language("tr")
    draw, noise = random.Random(SEED), np.random.default_rng(SEED)

    def measured(group: str, audio: Audio, said: str, word: str) -> Iterator[Asked]:
        speech = speech_part(cut(audio))
        if speech is not None:
            yield Asked(group, said, word, match_word(speech, word, references))

    def another(word: str) -> str:
        return draw.choice([other for other in WORDS if other != word])

    rows: list[Asked] = []
    for recording in json.loads((DEMO / "demo.json").read_text(encoding="utf-8"))["recordings"]:
        audio, word = load_audio(DEMO / recording["path"]), recording["word"]
        part = "01-04" if recording["participant"] <= "participant_04" else "05-08"
        state = "right" if recording["score"] >= FAULTLESS_FROM else "poor"
        rows += measured(f"demo {part}, {state}", audio, word, word)
        rows += measured(f"demo {part} in noise, {state}", worse(audio, noise), word, word)
        rows += measured(f"demo {part}, another word", audio, word, another(word))
    for variant in FRESH:
        for word in WORDS:
            audio = espeak.spoken(word, f"tr+{variant}", draw.randint(130, 175), draw.randint(35, 75))
            rows += measured("fresh, right", audio, word, word)
            rows += measured("fresh in noise, right", worse(audio, noise), word, word)
        for word in draw.sample(list(WORDS), 11):
            audio = espeak.spoken(word, f"tr+{variant}", 150)
            rows += measured("fresh, another word", audio, word, another(word))
        for word in draw.sample(OF_NO_LIST, 11):
            audio = espeak.spoken(word, f"tr+{variant}", 150)
            rows += measured("fresh, of no list", audio, word, draw.choice(list(WORDS)))
    for group in dict.fromkeys(row.group for row in rows):
        report(group, [row for row in rows if row.group == group])


def report(group: str, rows: list[Asked]) -> None:
    beyond = np.array([strangeness_db(row.match) for row in rows])
    refused = "  ".join(f"{least:g}: {(beyond > least).sum():3}" for least in (10.0, 12.0, THRESHOLD_DB, 16.0, 18.0))
    print(f"{group:30} n {len(rows):4}  refused from {refused}  98 % lie under {np.percentile(beyond, 98):.1f} dB")


def pairs() -> None:
    leads: list[float] = []
    for contrast in contrasts("tr"):
        for pair in contrast.pairs[:3]:
            voices = tuple(espeak.spoken(word, "tr+m1", 140) for word in pair)
            for variant in FRESH[:12]:
                for number, word in enumerate(pair):
                    found = voice_lead(cut(espeak.spoken(word, f"tr+{variant}", 150)), (voices[0], voices[1]))
                    if found is not None:
                        leads.append(found if number == 0 else -found)
    report_pairs("Turkish, 12 voices", leads, UNSURE_DB)


def english(folder: Path, rows: Path) -> None:
    """Words that experts called right, each as an attempt at its pair; cut at the times that the scorer found."""
    partners = {
        word: pair for contrast in contrasts("en") for pair in contrast.pairs for word in pair
    }  # the last pair of a word
    settings, leads, n_neither = Settings.from_env(), [], 0
    for line in lines_of(rows.read_text(encoding="utf-8")):
        row = json.loads(line) if line else None
        if row is None or len(row["result"]["words"]) != len(row["entry"]["words"]):
            continue
        audio = load_audio(folder / row["entry"]["audio"])
        for said, heard in zip(row["result"]["words"], row["entry"]["words"], strict=True):
            pair = partners.get(said["text"])
            if pair is None or min(heard["phones_accuracy"]) < 2.0:
                continue
            lead = english_lead(settings, between_s(audio, said["start_s"] - 0.08, said["end_s"] + 0.08), pair)
            if lead is None:
                n_neither += 1
            else:
                leads.append(lead if said["text"] == pair[0] else -lead)
    print(f"neither: {n_neither} of {n_neither + len(leads)}")
    report_pairs("English, words of sentences", leads, UNSURE_NATS)


def between_s(audio: Audio, start_s: float, end_s: float) -> Audio:
    rate = audio.sample_rate_hz
    return from_samples(audio.samples[max(0, round(start_s * rate)) : round(end_s * rate)], rate)


def report_pairs(name: str, right: Iterable[float], unsure: float) -> None:
    """`right` are the leads of the word that was said."""
    values = np.array(list(right))
    for least in (0.0, unsure / 2, unsure, 2 * unsure, 3 * unsure):
        told = np.abs(values) >= least
        share = (values[told] > 0).mean() if told.any() else float("nan")
        print(f"{name}: n {len(values)}, told from {least:.2f}: {told.mean():.1%}, rightly {share:.1%}")


if __name__ == "__main__":
    if sys.argv[1] == "english":
        english(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        {"words": words, "pairs": pairs}[sys.argv[1]]()
