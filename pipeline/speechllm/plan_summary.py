"""The plan of a fine-tuning run, and the same in words. Light: pages read it without PyTorch."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from pipeline.i18n import N_, Message, _, joined, ngettext, number, percent
from pipeline.runs.messages import translated
from pipeline.speechllm.config import SpeechLlmConfig

CPU = N_("the CPU")


@dataclass(frozen=True)
class Plan:
    """`memory_gb` is needed at the peak, `available_gb` is there; `hours` for all epochs on `devices` of this kind,
    `evaluation_hours` beside them for answering `n_evaluated` samples after each and `n_at_end` once; `notes` are what
    there is to tell about the model and its adapter."""

    n_trained: int
    n_parameters: int
    trained_share: float
    n_samples: int
    tokens_per_sample: float
    steps: int
    memory_gb: float
    available_gb: float
    hours: float
    devices: int
    device: str
    evaluation_hours: float = 0.0
    n_evaluated: int = 0
    n_at_end: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Plan":
        """As it was written to JSON. Raises KeyError where a number is missing that earlier versions wrote as well."""
        there = [field for field in fields(cls) if field.name in stored or field.default is MISSING]
        values = {field.name: stored[field.name] for field in there}
        return cls(**{**values, "notes": tuple(values.get("notes", ()))})

    def text(self) -> str:
        return "\n".join([
            _("trains {trained} of {all} parameters ({share})").format(
                trained=number(self.n_trained), all=number(self.n_parameters), share=percent(self.trained_share, 2)
            ),
            ngettext(
                "{samples} samples of {tokens} tokens, {steps} steps on {devices} device ({device})",
                "{samples} samples of {tokens} tokens, {steps} steps on {devices} devices ({device})",
                self.devices,
            ).format(
                samples=number(self.n_samples), tokens=number(self.tokens_per_sample), steps=number(self.steps),
                devices=number(self.devices), device=_(self.device),
            ),
            _("needs about {needed} GB of {available} GB").format(
                needed=_gb(self.memory_gb), available=_gb(self.available_gb)
            ),
            self._time(),
            *map(translated, self.notes),
        ])  # fmt: skip

    def _time(self) -> str:
        if not self.n_evaluated:
            return _("takes about {duration}, without evaluation").format(duration=_duration(self.hours))
        if self.n_at_end:
            return ngettext(
                "takes about {duration}, and {evaluation} for answering {n} sample per epoch and {others} at the end",
                "takes about {duration}, and {evaluation} for answering {n} samples per epoch and {others} at the end",
                self.n_evaluated,
            ).format(
                duration=_duration(self.hours), evaluation=_duration(self.evaluation_hours),
                n=number(self.n_evaluated), others=number(self.n_at_end),
            )  # fmt: skip
        return ngettext(
            "takes about {duration}, and {evaluation} for answering {n} sample after each epoch",
            "takes about {duration}, and {evaluation} for answering {n} samples after each epoch",
            self.n_evaluated,
        ).format(
            duration=_duration(self.hours), evaluation=_duration(self.evaluation_hours), n=number(self.n_evaluated)
        )


def refusal(plan: Plan, config: SpeechLlmConfig) -> Message | None:
    """Why the run cannot be, with what would help; None where it fits."""
    if plan.memory_gb <= plan.available_gb:
        return None
    needs = Message(
        N_("This run needs about {needed:.1f} GB, but {device} has {available:.1f} GB."),
        needed=plan.memory_gb,
        device=Message(plan.device),
        available=plan.available_gb,
    )
    ways = [
        *([N_("batch 1 with more accumulation")] if config.batch > 1 else []),
        *([N_("gradient checkpointing")] if not config.checkpointing else []),
        *([N_("a 4-bit preset")] if config.bits == 16 and config.adapter not in ("unfreeze", "full") else []),
        *([N_("the adapter fresh")] if config.adapter in ("unfreeze", "full") else []),
    ]
    if not ways:
        return joined([needs, Message(N_("Use a larger device."))], "")
    help_ = Message(N_("What would help: {ways}."), ways=joined([Message(way) for way in ways], ","))
    return joined([needs, help_], "")


def _gb(value: float) -> str:
    return number(value, 1)


def _duration(hours: float) -> str:
    if hours >= 48:
        days = round(hours / 24)
        return ngettext("{n} day", "{n} days", days).format(n=number(days))
    if hours >= 1:
        return _("{hours} hours").format(hours=number(hours, 1))
    minutes = max(1, math.ceil(hours * 60))
    return ngettext("{n} minute", "{n} minutes", minutes).format(n=number(minutes))
