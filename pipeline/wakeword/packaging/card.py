"""The card beside a detector: what it is, what it was trained on, what it is worth, and where not to use it."""

from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.markdown import literal
from pipeline.wakeword.devices import TARGETS
from pipeline.wakeword.file_names import CARD
from pipeline.wakeword.models.budget import Budget, budget_of
from pipeline.wakeword.runtime.model_files import DetectorInfo
from pipeline.wakeword.threshold import in_words

TEXT = """# {name}

A detector of one spoken word or phrase: {architecture} (width {width:g}), {parameters:,} parameters, {macs:.1f} million
multiplications a window of {clip_s:g} s, one every {hop_ms:.0f} ms. As configured it needs {flash:.0f} kB of flash and
{ram:.0f} kB of memory on a {target}.

## Trained on

{n_train} clips, {n_held} more held back to choose weights and threshold on. {sources}

## Measured

On the held-back clips with noise at 10 dB: {miss:.1%} of {n_words} words missed on average at 0 to 20 false alarms;
expected calibration error {ece_before:.3f}, {ece_after:.3f} after dividing logits by {temperature:.2f}.
{streamed}{rests}{words}
## Use

Log-mel or MFCC features as in `model.json`, not normalised, windows [n, {frames}, {bins}]; the answer is a logit. The
detector goes off at {threshold:.2f} in {votes} of {of} windows, and not again for {lockout:g} s.

## Not for

Anything where a miss or a false alarm harms somebody. The figures hold for voices, rooms and microphones like those of
the clips; measure on your own with `pronlab wakeword evaluate`.
"""


def write_card(folder: Path, info: DetectorInfo, report: dict[str, Any]) -> None:
    """Beside the model, from what training reported and, where it was evaluated, what the stream gave; anew after
    each."""
    artifacts.write_text(folder / CARD, _card(info, budget_of(info.model, info.features.shape), report))


def _card(info: DetectorInfo, budget: Budget, report: dict[str, Any]) -> str:
    calibration, validation = report["calibration"], report["validation"]
    known = report["sources_known"]
    sources = (
        "No speaker is in both."
        if known
        else "The clips name no speakers: it cannot be shown that no voice is in both, so figures on held-back clips "
        "may be too good."
    )
    return TEXT.format(
        name=literal(info.name or "Wake word", begins=False), architecture=info.model.name, width=info.model.width,
        parameters=info.parameters, macs=budget.macs / 1e6, clip_s=info.features.clip_s,
        hop_ms=info.detector.hop_s * 1000, flash=budget.flash_kb, ram=budget.ram_kb,
        target=TARGETS[info.model.target].title, n_train=report["n_train"], n_held=report["n_held"], sources=sources,
        miss=validation["miss_at_few_alarms"], n_words=validation["n_words"], ece_before=calibration["ece_before"],
        ece_after=calibration["ece_after"], temperature=info.temperature, streamed=_streamed(info),
        frames=info.features.shape[0], bins=info.features.shape[1], threshold=info.threshold,
        votes=info.detector.votes, of=info.detector.of, lockout=info.detector.lockout_s,
        words=_words(info),
        rests=f"\n{in_words(info.metrics['threshold'])}\n" if info.metrics.get("threshold") else "",
    )  # fmt: skip


def _words(info: DetectorInfo) -> str:
    """Of several words, a row for each."""
    if not info.words:
        return ""
    rows = []
    for word in info.words:
        measured = word.metrics["validation"]
        missed = f"{measured['miss_at_few_alarms']:.1%} of {measured['n_words']}"
        rows.append(f"| {literal(word.name, begins=False)} | {word.threshold:.2f} | {missed} |")
    return (
        "\nOne output per word, each with a threshold of its own; the line above is of all together.\n\n"
        "| word | threshold | missed at 0 to 20 false alarms |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _streamed(info: DetectorInfo) -> str:
    stream = info.metrics.get("stream")
    if not stream:
        return ""
    lines = [
        f"| {target} | {point['miss_rate']:.1%} ({point['miss_interval'][0]:.1%} to {point['miss_interval'][1]:.1%}) "
        f"| {point['false_alarms']} | {point['fah']:.2f} |"
        for target, point in stream["at_fah"].items()
    ]
    return (
        f"\nOn {stream['hours']:.1f} h of sound with {stream['speech_hours']:.1f} h of speech and noise at 10 dB, "
        f"{stream['n_keywords']} keywords:\n\n"
        "| false alarms an hour, at most | missed (95 %) | false alarms | an hour |\n|---|---|---|---|\n"
        + "\n".join(lines)
        + "\n"
    )
