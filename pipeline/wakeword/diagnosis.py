"""What the curves and figures of a training say about it, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.i18n import N_, Message, duration

RISEN = 1.3  # validation loss at the end over its lowest, where training loss fell on
FELL = 0.9
HARDLY_LEARNT = 0.5  # words missed at the end: far from any use
SPIKE = 20.0  # gradient norm over its median
FEWEST_WORDS, FEWEST_HOURS = 30, 1.0
FEWEST_STEPS = 5  # of a curve that says anything


def diagnosis(rows: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> list[Message]:
    """Sentences for a person, none where nothing is noticeable.

    Args:
        rows: the lines of the run's metrics.jsonl.
        report: its report.json.
    """
    steps = [row for row in rows if row.get("event") == "step"]
    checks = [row for row in rows if row.get("event") == "validation" and "present_loss" in row]
    return [*_of_curves(steps, checks), *_of_clips(report)]


def _of_curves(steps: Sequence[Mapping[str, Any]], checks: Sequence[Mapping[str, Any]]) -> list[Message]:
    if len(steps) < FEWEST_STEPS or len(checks) < 2:
        return []
    losses = np.array([row["loss"] for row in steps])
    norms = np.array([row["gradient_norm"] for row in steps])
    held = np.array([row["present_loss"] for row in checks])
    lowest = int(held.argmin())
    tenth = max(1, len(losses) // 10)
    fell = losses[-tenth:].mean() < FELL * losses[len(losses) // 2 : len(losses) // 2 + tenth].mean()
    said = []
    if min(row["present_miss"] for row in checks) > HARDLY_LEARNT:
        said.append(
            Message(
                N_(
                    "It hardly learned: more than half of the validation words are still missed. Check that the clips "
                    "hold the word, and try a lower learning rate or more steps."
                )
            )
        )
    elif held[-1] > RISEN * held[lowest] and fell:
        said.append(
            Message(
                N_(
                    "It overfits: validation loss rises from step {step} on while training loss falls. Record more "
                    "voices, vary the clips more (augment.variants), or choose a narrower model."
                ),
                step=int(checks[lowest]["at_step"]),
            )
        )
    if norms.max() > SPIKE * float(np.median(norms)) and losses[-tenth:].mean() > losses[:tenth].mean():
        said.append(
            Message(N_("It is unstable: gradients jump and the loss ends above its start. Lower the learning rate."))
        )
    return said


def _of_clips(report: Mapping[str, Any]) -> list[Message]:
    said = []
    n_words = report["validation"]["n_words"]
    if n_words < FEWEST_WORDS:
        said.append(
            Message(
                N_("Few validation words ({n}): the choice of weights rests on little. Record more clips of the word."),
                n=int(n_words),
            )
        )
    basis = report.get("threshold")
    if basis and basis["source"] == "validation" and basis["hours"] < FEWEST_HOURS:
        said.append(
            Message(
                N_(
                    "Few validation negatives ({duration}): the threshold rests on little. Add other speech, or set "
                    "the threshold on a long stream under 4 Evaluation."
                ),
                duration=duration(basis["hours"]),
            )
        )
    return said
