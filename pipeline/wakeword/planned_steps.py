"""How many steps a training runs in all its stages, in words: the setting `train.steps` is of the first pass alone."""

from pipeline.i18n import _, ngettext, number
from pipeline.wakeword.config import WakewordConfig


def steps_in_words(config: WakewordConfig) -> str:
    """All steps: of the first pass, after each mining, and on the 8-bit grid."""
    train, mining = config.train, config.mining
    parts = [_("{n} in the first pass").format(n=number(train.steps))]
    if mining.rounds:
        rounds = ngettext("{n} after mining, {rounds} time", "{n} after mining, {rounds} times", mining.rounds)
        parts.append(rounds.format(n=number(mining.steps), rounds=number(mining.rounds)))
    if train.qat_steps:
        parts.append(_("{n} on the 8-bit grid").format(n=number(train.qat_steps)))
    total = train.steps + mining.rounds * mining.steps + train.qat_steps
    return _("{n} steps: {parts}.").format(n=number(total), parts="; ".join(parts))
