"""The stages of a training and their steps: the setting `train.steps` is of the first pass alone."""

from dataclasses import dataclass

from pipeline.i18n import N_, _, ngettext, number
from pipeline.wakeword.config import WakewordConfig

FIRST, MINING, QUANTISATION = N_("first"), N_("mining"), N_("quantisation")


@dataclass(frozen=True)
class Stage:
    """`name` is first, mining or quantisation."""

    name: str
    steps: int
    rate: float


def stages_of(config: WakewordConfig) -> list[Stage]:
    """In the order in which they run."""
    train, mining = config.train, config.mining
    stages = [Stage(FIRST, train.steps, train.rate)]
    stages += [Stage(MINING, mining.steps, mining.rate)] * mining.rounds
    return stages + ([Stage(QUANTISATION, train.qat_steps, mining.rate / 3.0)] if train.qat_steps else [])


def steps_of(stages: list[Stage]) -> int:
    """Of all of them, where none ends early."""
    return sum(stage.steps for stage in stages)


def steps_in_words(config: WakewordConfig) -> str:
    """All steps: of the first pass, after each mining, and on the 8-bit grid."""
    stages = stages_of(config)
    parts = [_("{n} in the first pass").format(n=number(stages[0].steps))]
    if mined := [stage for stage in stages if stage.name == MINING]:
        rounds = ngettext("{n} after mining, {rounds} time", "{n} after mining, {rounds} times", len(mined))
        parts.append(rounds.format(n=number(mined[0].steps), rounds=number(len(mined))))
    if stages[-1].name == QUANTISATION:
        parts.append(_("{n} on the 8-bit grid").format(n=number(stages[-1].steps)))
    n = steps_of(stages)
    return ngettext("{n} step: {parts}.", "{n} steps: {parts}.", n).format(n=number(n), parts="; ".join(parts))
