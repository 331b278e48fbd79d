"""Progress messages and warnings of runs in the reader's language.

A run has no reader: what it says while it goes on is a `Message`, which `run.json` keeps with what it is made of.
Warnings in reports are plain English text there; those that are listed here are translated by their form.
"""

import re
from functools import cache

from pipeline import i18n
from pipeline.i18n import N_, SOURCE, Message, _, language, number
from pipeline.optional import NEEDS

DONE = Message(N_("done"))
TEMPLATES = (
    N_("Mock labels: the scores are made up, so the model and its metrics say nothing about speech."),
    N_("Synthetic labels: the scores come from a speech synthesiser's known faults, not from experts."),
    N_(
        "NO NEW VOICE WAS TRIED (speakers: {n}): the data was split by {by}. The figures are for {held_out}; they "
        "cannot show how the model scores another speaker, which is usually worse. Record at least {needed} speakers "
        "to find out."
    ),
    N_("{used} folds instead of {asked}: there are only {groups} groups to split by {by}."),
    N_("Only {n} labelled recordings; {recommended} or more are recommended."),
    N_(
        "MAE {mae} misses the target of 10 points: label more recordings and speakers, look at the largest errors on "
        "the Compare page, or try another extractor."
    ),
    N_("Left out: {problem}"),
    NEEDS,
    N_("merges its own speech adapter: {layout}"),
    N_("continues with its own speech adapter: {layout}"),
    N_("the checkpoint's adapter stands, with {settings}"),
    N_("the layout of the checkpoint's own speech adapter is shown once the checkpoint is there"),
    N_("starts from the base without its speech adapter, which may not hear yet (merge_speech adds it)"),
    N_("counts of 200 M for rank 64 include modules that are saved whole"),
    N_("counts of 830 M for rank 320 include the published vision adapter (r 256, 369.1 M)"),
)


TRANSLATED_VALUES = ("by", "held_out", "user")  # whose values are of a few words, each in the catalogue


def how_far(work: str, done: int, total: int, detail: str = "") -> Message:
    """How far `work`, a msgid, has come: "Scoring: 3 of 10 a.wav", where `detail` is a name, which is not translated. A
    `detail` that is a `Message` is the part of the work that is counted: "rendering clips: 3 of 10"."""
    if isinstance(detail, Message):
        return Message(N_("{work}: {done} of {total}"), work=detail, done=done, total=total)
    if not detail:
        return Message(N_("{work}: {done} of {total}"), work=Message(work), done=done, total=total)
    return Message(N_("{work}: {done} of {total} {detail}"), work=Message(work), done=done, total=total, detail=detail)


def epoch_of(epoch: int, epochs: int, loss: float) -> Message:
    """Of `epoch`, the first being 1, and its loss."""
    return Message(N_("epoch {epoch} of {epochs}, loss {loss:.3f}"), epoch=epoch, epochs=epochs, loss=loss)


def translated(message: str) -> str:
    """`message` in the reader's language; as it is where it is no `Message` and no template fits."""
    if isinstance(message, Message) or language() == SOURCE:
        return i18n.translated(message)
    for template in TEMPLATES:
        match = _pattern(template).fullmatch(message)
        if match:
            values = {key: _value(key, text) for key, text in match.groupdict().items()}
            return _(template).format(**values)
    return message


def _value(key: str, text: str) -> str:
    """A value of a message as its reader writes it."""
    if key in TRANSLATED_VALUES:
        return _(text)
    if re.fullmatch(r"\d{1,15}(\.\d{1,6})?", text):
        return number(float(text), len(text.partition(".")[2]))
    return text


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )
