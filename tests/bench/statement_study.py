"""How often what a learner is told is right: precision and recall of every kind of statement.

    python -m tests.bench.statement_study score FOLDER rows.jsonl [N]    score N utterances of the part `dev`
    python -m tests.bench.statement_study table rows.jsonl               the table of docs/results/practice.md

FOLDER is a prepared speechocean762 with `manifest.jsonl`: five experts' scores of every utterance, word and phone.
"""

import json
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.audio.load import load_audio
from pipeline.features.frames import Frames
from pipeline.practice.delivery import deliveries, pitch_range
from pipeline.practice.stress import word_stresses
from pipeline.records import RubricName, Target, to_json
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import SPEECH, load_scorer
from pipeline.settings import Settings
from pipeline.text import lines_of

SEED = 21
WRONG_PHONE = 1.0  # of 2: a mean of five experts below it says wrong
POOR_FLUENCY = POOR_PROSODY = 6.5  # of 10, the median of five experts: below it they heard something


def score(folder: Path, out: Path, n: int) -> None:
    manifest = (folder / "manifest.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in lines_of(manifest) if line]
    chosen = random.Random(SEED).sample([entry for entry in entries if entry["part"] == "dev"], n)
    scorer = load_scorer(Settings.from_env(), SPEECH, RubricName.SENTENCE)
    with out.open("w", encoding="utf-8") as file:
        for entry in chosen:
            audio = load_audio(folder / entry["audio"])
            result = score_audio(scorer, audio, Target(entry["text"], "en", RubricName.SENTENCE))
            moved = {stress.word.lower(): stress.moved for stress in word_stresses(audio, result)}
            row = {
                "entry": entry, "result": to_json(result), "moved": moved,
                "delivery": [vars(one) for one in deliveries(audio, entry["text"], result.words)],
                "range": pitch_range(Frames(audio).pitch.f0_hz),
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")


def table(rows: list[dict[str, Any]]) -> None:
    for name, pairs in statements(rows):
        told = [right for said, right in pairs if said]
        true = [said for said, right in pairs if right]
        precision = f"{sum(told) / len(told):.2f}" if told else "-"
        recall = f"{sum(true) / len(true):.2f}" if true else "-"
        print(f"| {name} | {len(pairs)} | {len(told)} | {precision} | {len(true)} | {recall} |")


def statements(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[bool, bool]]]]:
    """Each kind of statement with, for every place, whether it was said and whether the experts agree."""
    scored = [row for row in rows if row["result"]["state"] == "scored"]
    yield "The sound is wrong", list(phones(scored, ("wrong",)))
    yield "The sound is missing", list(phones(scored, ("missing",)))
    yield "The word was not said", list(words(scored, lambda word: word["verdict"] == "missing"))
    yield "The word sounded like another", list(words(scored, lambda word: bool(word["heard"])))
    yield "Another syllable was stressed", list(stress(scored))
    breaks = [(sum(one["is_break"] for one in row["delivery"]) > 0, slow(row)) for row in scored]
    yield "There is a break in the sentence", breaks
    for least in (2.0, 2.5, 3.0, 3.5, 4.0):
        flat = [((row["range"] or 99.0) < least, poor(row, "prosodic", POOR_PROSODY)) for row in scored]
        yield f"The melody is level (under {least:g} semitones)", flat


def phones(rows: list[dict[str, Any]], verdicts: tuple[str, ...]) -> Iterator[tuple[bool, bool]]:
    for said, heard in aligned(rows):
        if said["verdict"] == "missing":
            continue
        for phone, mean in zip(said["phones"], heard["phones_accuracy"], strict=True):
            yield phone["verdict"] in verdicts, mean < WRONG_PHONE


def words(rows: list[dict[str, Any]], said_of: Any) -> Iterator[tuple[bool, bool]]:
    for said, heard in aligned(rows):
        yield said_of(said), sorted(heard["accuracy"])[2] <= 4.0


def stress(rows: list[dict[str, Any]]) -> Iterator[tuple[bool, bool]]:
    for row in rows:
        for said, heard in aligned([row]):
            if said["text"].lower() in row["moved"]:
                yield row["moved"][said["text"].lower()], sorted(heard["stress"])[2] < 10


def aligned(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Words of the scorer with those of the experts, where both have the same phones."""
    for row in rows:
        said, heard = row["result"]["words"], row["entry"]["words"]
        if len(said) == len(heard):
            for one, other in zip(said, heard, strict=True):
                if len(one["phones"]) == len(other["phones_accuracy"]):
                    yield one, other


def slow(row: dict[str, Any]) -> bool:
    return poor(row, "fluency", POOR_FLUENCY)


def poor(row: dict[str, Any], aspect: str, least: float) -> bool:
    return bool(row["entry"]["median"][aspect] < least)


if __name__ == "__main__":
    if sys.argv[1] == "score":
        score(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 400)
    else:
        table([json.loads(line) for line in lines_of(Path(sys.argv[2]).read_text(encoding="utf-8")) if line])
