"""The card of a speech model: what it is for, on what it was trained, how well it does and for whom."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.markdown import code_span, literal
from pipeline.metrics.correlation import pearson
from pipeline.records import State
from pipeline.scoring.speech.labels import UTTERANCE_ASPECTS
from pipeline.scoring.speech.model_files import CARD_FILE, SpeechInfo

BEGIN, END = "<!-- evaluation -->", "<!-- /evaluation -->"
CHILD_BELOW = 16
GROUPS: dict[str, Callable[[dict[str, Any]], bool]] = {
    f"children (under {CHILD_BELOW})": lambda who: who.get("age", 99) < CHILD_BELOW,
    f"adults ({CHILD_BELOW} and over)": lambda who: who.get("age", -1) >= CHILD_BELOW,
    "female": lambda who: who.get("gender") == "f",
    "male": lambda who: who.get("gender") == "m",
}


def write_card(folder: Path, info: SpeechInfo) -> None:
    """The card with the held-out figures; keeps evaluations and notes that an earlier card has after its first mark."""
    kept = ""
    file = folder / CARD_FILE
    if file.is_file() and BEGIN in (text := file.read_text(encoding="utf-8")):
        kept = text[text.index(BEGIN) :]
    figures = " | ".join(
        f"{info.held_out.get(name, float('nan')):.3f}" for name in (*UTTERANCE_ASPECTS, "word_accuracy", "phone")
    )
    precision = "8-bit integers" if info.int8 else "32-bit floats"
    artifacts.write_text(
        file,
        f"""# {literal(info.model_id, begins=False)}

Scores read English: sentences (accuracy, fluency, prosody, completeness, total), words and phones, with the
diagnosis of mispronunciations. Encoder {code_span(info.encoder)}, fine-tuned with a phone CTC head, and a score head on
top; ONNX, {precision}.

- For: practice, and for researchers to compare with. It was trained on speakers of Mandarin, half of them children.
- Not for: grades, examinations or any decision about a person; other first languages, free speech, singing, noise.
- Trained on {code_span(info.trained_on)}, part {code_span(info.part)}: {info.n_recordings} recordings of
  {info.n_speakers} speakers. {_seed(info)}, data hash `{info.data_hash}`, commit `{info.git_commit}`,
  {info.created_at[:10]}.
- Licences: the corpus is free for commercial and non-commercial use (speechocean762, arXiv 2104.01378); Whisper's
  weights are under MIT, and so are these. `vocabulary.npz` holds frequencies of wordfreq (CC BY-SA 4.0) and pairs
  and triples of words of pocketsphinx's model of English (two-clause BSD licence, (c) Carnegie Mellon University).

PCC on the training speakers held out to choose the epoch and the thresholds (optimistic for that reason):

| accuracy | fluency | prosodic | total | word accuracy | phone |
|---|---|---|---|---|---|
| {figures} |

{kept}""",
    )


def write_evaluation(folder: Path, report: Any, groups: dict[str, dict[str, float | None]]) -> None:
    """Put the figures of an `EvaluationReport` into the card, in place of earlier ones."""
    file = folder / CARD_FILE
    text = file.read_text(encoding="utf-8")
    before = text.split(BEGIN, 1)[0].rstrip()
    after = text.split(END, 1)[1] if END in text else "\n"
    rows = [
        f"| {name} | {found.pcc:.3f} | {_interval(found.interval)} | {found.n} |"
        for name, found in [
            *report.utterance.items(),
            *((f"word {aspect}", value) for aspect, value in report.word.items()),
            *([("phone", report.phone)] if report.phone else []),
        ]
        if found.pcc is not None
    ]
    names = list(next(iter(groups.values()), {}))
    table = [f"| {name} | " + " | ".join(_number(row[key]) for key in names) + " |" for name, row in groups.items()]
    mdd = report.mdd or {}
    told = [f"Phone scores have a mean squared error of {_number(report.phone.mse)}."] if report.phone else []
    if report.bands is not None:
        told.append(
            f"Weighted kappa of the totals' bands: {_number(report.bands.kappa)} ({_interval(report.bands.interval)})"
            + _beside(report.bands.experts)
        )
    others = sorted((str(state), n) for state, n in report.states.items() if state != State.SCORED)
    told += ["Not scored: " + ", ".join(f"{n} {state}" for state, n in others) + "."] if others else []
    body = f"""## Measured on part `{report.part}` of {report.n} recordings, against the {report.reference} scores

| | PCC | 95 % over speakers | n |
|---|---|---|---|
{chr(10).join(rows)}

Mispronunciation detection: F1 {_number(mdd.get("f1"))}, precision {_number(mdd.get("precision"))}, recall
{_number(mdd.get("recall"))}. Without being told the text: phone error rate {_number(report.per)}, word error rate
{_number(report.wer)}.
{chr(10).join(told)}

| speakers | {" | ".join(names)} |
|---|{"---|" * len(names)}
{chr(10).join(table)}"""
    artifacts.write_text(file, f"{before}\n\n{BEGIN}\n{body}\n{END}{after}")


def by_group(people: Sequence[dict[str, Any]], pairs: Sequence[Any]) -> dict[str, dict[str, float | None]]:
    """PCC and mean error of the sentence aspects among children and adults, women and men."""
    found: dict[str, dict[str, float | None]] = {}
    for name, belongs in GROUPS.items():
        rows = [j for who, j in zip(people, pairs, strict=True) if belongs(who)]
        if not rows:
            continue
        figures: dict[str, float | None] = {"n": float(len(rows))}
        for aspect in UTTERANCE_ASPECTS:
            truth, guess = ([getattr(j, side)[aspect] for j in rows] for side in ("reference", "predicted"))
            figures[f"{aspect} PCC"] = pearson(truth, guess)
        figures["total bias"] = float(np.mean([j.predicted["total"] - j.reference["total"] for j in rows]))
        found[name] = figures
    return found


def _seed(info: SpeechInfo) -> str:
    seed = f"Mean weights of {', '.join(f'`{run}`' for run in info.averaged)}" if info.averaged else f"Seed {info.seed}"
    if not info.listener:
        return seed
    others = f" and {len(info.other_listeners)} that had not learned from its speakers" if info.other_listeners else ""
    return f"{seed}, the score heads on the listener of `{info.listener}`{others}"


def _beside(experts: Sequence[float]) -> str:
    return f"; one expert with the median of the others {min(experts):.3f} to {max(experts):.3f}." if experts else "."


def _interval(found: tuple[float, float] | None) -> str:
    return "" if found is None else f"{found[0]:.3f} to {found[1]:.3f}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if float(value).is_integer() and value > 1 else f"{value:.3f}"
