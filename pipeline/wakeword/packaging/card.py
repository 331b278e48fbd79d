"""The card beside a detector: what it is, what it was trained on, what it is worth, and where not to use it; in a
bundle, how that is used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, duration
from pipeline.markdown import literal
from pipeline.wakeword.devices import TARGETS
from pipeline.wakeword.file_names import CARD, INFO, REPORT
from pipeline.wakeword.models.budget import Budget, budget_of
from pipeline.wakeword.runtime.model_files import DetectorInfo
from pipeline.wakeword.threshold import in_words, known_basis

USE, NOT_FOR = "## Use\n", "## Not for\n"
TEXT = """# {name}

A detector of one spoken word or phrase: {architecture} (width {width:g}), {parameters:,} parameters, {macs:.1f} million
multiplications per window of {clip_s:g} s, one every {hop_ms:.0f} ms. As configured it needs {flash:.0f} kB of flash
and {ram:.0f} kB of memory on a {target}.

## Trained on

{n_train} clips, {n_held} more held back to choose weights and threshold on. {synthetic}{sources}

## Measured

On the held-back clips with noise at 10 dB: {miss:.1%} of {n_words} words missed on average at 0 to 20 false alarms;
expected calibration error {ece_before:.3f}, {ece_after:.3f} after dividing logits by {temperature:.2f}.
{streamed}{rests}{words}
{use_title}
Features of the kind {kind} as in `model.json`, not normalised, windows [n, {frames}, {bins}]; the answer is a logit.
The detector goes off at {threshold} in {votes} of {of} windows, and not again for {lockout:g} s.

{not_for_title}
Anything where a miss or a false alarm harms somebody. The figures hold for voices, rooms and microphones like those of
the clips; measure on your own with `pronlab wakeword evaluate`.
"""


IN_BUNDLE = """
`model.onnx` takes sound at 16 kHz; `runner.py` needs Python, numpy and onnxruntime and nothing else:

    pip install numpy onnxruntime
    python runner.py FILE.wav
    arecord -q -f S16_LE -r 16000 -c 1 -t raw | python runner.py -

It prints a JSON line for each detection: seconds, score, and of several words which one. `--sensitivity` 0 to 1 moves
the threshold; .5 is the bundle's. `detector.json` holds the threshold, votes, curve and figures. Where Pronlab is
installed, `pronlab wakeword listen` also runs a program on each detection, and `pronlab wakeword wyoming` serves Home
Assistant.
{judge}
"""
JUDGE = """
**With a judge of phones** (`judge.onnx`, `judge.f32`; `phones.*` are what Pronlab itself reads): `runner.py` detects at
a low threshold, and the judge decides whether the phones of {word!r} are in the last two seconds. Its weights were
learnt from {recordings} recordings and {synthetic} synthetic clips. Figures above that do not name the judge are
those of the detector alone.
"""
FOR_ESP32 = """
`model.tflite` and `manifest.json` are for ESPHome (`micro_wake_word`), `model.h` and `model.cc` the same model as a C
array. `detector.json` holds what the conversion was measured at. At a probability of .5 the detector goes off.
"""


def card_in_bundle(card: str, use: str) -> str:
    """The card of a model folder with another section on use."""
    before, _, rest = card.partition(USE)
    _, _, after = rest.partition(NOT_FOR)
    return f"{before}{USE}{use}\n{NOT_FOR}{after}"


def write_card(folder: Path, info: DetectorInfo, report: dict[str, Any]) -> None:
    """Beside the model, from what training reported and, where it was evaluated, what the stream gave; anew after
    each. Raises ModelError as `card_of` does."""
    artifacts.write_text(folder / CARD, card_of(info, report))


def card_of(info: DetectorInfo, report: dict[str, Any]) -> str:
    """Its text. Raises ModelError where figures are damaged, or of another version."""
    try:
        return _card(info, budget_of(info.model, info.features), report)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ModelError(
            N_("The card of {name} cannot be written: figures in {info} or {report} are damaged or from another "
               "version ({reason}). Evaluate it again, which writes those in {info} anew; else train it again."),
            name=info.name, info=INFO, report=REPORT, reason=f"{type(error).__name__}: {said_by(error)}",
        ) from error  # fmt: skip


def _card(info: DetectorInfo, budget: Budget, report: dict[str, Any]) -> str:
    calibration, validation = report["calibration"], report["validation"]
    known = report["sources_known"]
    sources = (
        "No speaker is in both."
        if known
        else "The clips name no speakers: it cannot be shown that no voice is in both, so figures on held-back clips "
        "may be too good."
    )
    synthetic = ""
    if n_synthetic := report.get("n_synthetic_words", 0):  # runs of earlier releases lack it
        n_words = report["n_words"]
        which = f"All {n_words}" if n_synthetic == n_words else f"{n_synthetic} of the {n_words}"
        synthetic = f"{which} clips of the word are synthetic: they do not tell what is missed of people. "
    return TEXT.format(
        use_title=USE, not_for_title=NOT_FOR,
        name=literal(info.name or "Wake word", begins=False), architecture=info.model.name, width=info.model.width,
        parameters=info.parameters, macs=budget.macs / 1e6, clip_s=info.features.clip_s,
        hop_ms=info.detector.hop_s * 1000, flash=budget.flash_kb, ram=budget.ram_kb,
        target=TARGETS[info.model.target].title, n_train=report["n_train"], n_held=report["n_held"],
        synthetic=synthetic, sources=sources,
        miss=validation["miss_at_few_alarms"], n_words=validation["n_words"], ece_before=calibration["ece_before"],
        ece_after=calibration["ece_after"], temperature=info.temperature, streamed=_streamed(info.metrics),
        kind=info.features.kind, frames=info.features.shape[0], bins=info.features.shape[1],
        threshold="the threshold of the word" if info.words else f"{info.threshold:.2f}",
        votes=info.detector.votes, of=info.detector.of, lockout=info.detector.lockout_s,
        words=_words(info),
        rests="" if info.words else _rests_on(info.metrics),
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
        "| word | threshold | missed at 0 to 20 false alarms |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
        + "".join(
            f"\n### {literal(word.name, begins=False)}\n{_streamed(word.metrics)}{_rests_on(word.metrics)}"
            for word in info.words
        )
    )


def _rests_on(metrics: Mapping[str, Any]) -> str:
    basis = known_basis(metrics)
    return f"\n{in_words(basis)}\n" if basis is not None else ""


def _streamed(metrics: Mapping[str, Any]) -> str:
    stream = metrics.get("stream")
    if not stream:
        return ""
    text = (
        f"\nOn {duration(stream['hours'])} of sound with {duration(stream['speech_hours'])} of speech and noise"
        f"{_of_its_own(stream)}, {stream['n_keywords']} keywords:\n\n{_missed(stream)}"
    )
    judged = metrics.get("judged")
    if judged:
        own = judged["as_set"]
        text += (
            f"\nWith the judge of the phones of {literal(repr(judged['word']), begins=False)}, asked "
            f"{judged['questions_per_hour']:.0f} times per hour:\n\n{_missed(judged)}\nAt its own limit "
            f"{own['miss_rate']:.1%} missed, {own['false_alarms']} false alarms.\n"
        )
    return text + (
        f"\nNo false alarm in {duration(stream['hours'])} says only that the rate is below {3.0 / stream['hours']:.2g} "
        "per hour (95 % confidence).\n"
    )


def _of_its_own(stream: Mapping[str, Any]) -> str:
    """What an evaluation chose; those of earlier releases do not say it."""
    if "snr_db" not in stream:
        return ""
    return f" at {stream['snr_db']:g} dB, {stream['votes']} of {stream['of']} windows above the threshold"


def _missed(stream: Mapping[str, Any]) -> str:
    rows = [
        f"| {target} | {point['miss_rate']:.1%} ({point['miss_interval'][0]:.1%} to {point['miss_interval'][1]:.1%}) "
        f"| {point['false_alarms']} | {point['fah']:.2f} |\n"
        for target, point in stream["at_fah"].items()
    ]
    head = "| false alarms per hour, at most | missed (95 %) | false alarms | per hour |\n|---|---|---|---|\n"
    return head + "".join(rows)
