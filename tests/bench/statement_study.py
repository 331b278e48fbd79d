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
from pipeline.practice.advice import SURE
from pipeline.practice.delivery import deliveries
from pipeline.practice.stress import word_stresses
from pipeline.records import RubricName, Target, to_json
from pipeline.scoring.base import score_audio
from pipeline.scoring.selection import SPEECH, load_scorer
from pipeline.settings import Settings
from pipeline.text import lines_of

SEED = 21
WRONG_PHONE = 1.0  # of 2: a mean of five experts below it says wrong
GOOD = 8.0  # of 10, the median of five experts: below it they heard something in the whole sentence


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
                "delivery": [vars(word) for word in deliveries(audio, entry["text"], result.words)],
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
    yield "The sound is wrong, surely", list(phones(scored, "wrong", SURE))
    yield "The sound is wrong, perhaps", list(phones(scored, "wrong", 0.0))
    yield "The sound is missing", list(phones(scored, "missing", 0.0))
    yield "The word was not said", list(words(scored, lambda word: word["verdict"] == "missing"))
    yield "The word sounded like another", list(words(scored, lambda word: bool(word["heard"])))
    yield "Another syllable was stressed", list(stress(scored))
    breaks = [(any(word["break_s"] for word in row["delivery"]), poor(row, "fluency", GOOD)) for row in scored]
    yield "There is a break in the sentence", breaks
    flat = [(any(word["is_flat"] for word in row["delivery"]), poor(row, "prosodic", GOOD)) for row in scored]
    yield "The melody is level", flat


def phones(rows: list[dict[str, Any]], verdict: str, surest: float) -> Iterator[tuple[bool, bool]]:
    for said, heard in aligned(rows):
        if said["verdict"] == "missing":
            continue
        for phone, mean in zip(said["phones"], heard["phones_accuracy"], strict=True):
            sure = (phone["confidence"] or 0.0) >= surest
            yield sure and phone["verdict"] == verdict, mean < WRONG_PHONE


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


def poor(row: dict[str, Any], aspect: str, least: float) -> bool:
    return bool(row["entry"]["median"][aspect] < least)


if __name__ == "__main__":
    if sys.argv[1] == "score":
        score(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 400)
    else:
        table([json.loads(line) for line in lines_of(Path(sys.argv[2]).read_text(encoding="utf-8")) if line])
