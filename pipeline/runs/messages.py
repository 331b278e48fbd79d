"""Progress messages and warnings of runs in the reader's language.

A run writes them in English, as it has no reader; a page translates those that are listed here.
"""

import re
from functools import cache

from pipeline.i18n import N_, SOURCE, _, language
from pipeline.optional import NEEDS

TEMPLATES = (
    N_("waiting for {run}: one training per device"),
    N_("fold {fold} of {folds}"),
    N_("fitting on all speakers"),
    N_("fitting on everything"),
    N_("features: {done} of {total}"),
    N_("reading recordings: {done} of {total}"),
    N_("reading recordings"),
    N_("loading the model"),
    N_("measuring after epoch {epoch}: answer {done} of {total}"),
    N_("step {step} of {steps}, loss {loss}"),
    N_("epoch {epoch} of {epochs}, loss {loss}"),
    N_("epoch {epoch} of {epochs}"),
    N_("epoch {epoch}: MAE {mae} on validation"),
    N_("exporting and choosing thresholds on the held-out speakers"),
    N_("mining: listening through the training negatives"),
    N_("trial {trial} of {trials}"),
    N_("calibrating on the validation clips"),
    N_("checking clips: {done} of {total}"),
    N_("rendering clips: {done} of {total}"),
    N_("Checking recordings: {done} of {total}"),
    N_("Scoring: {done} of {total}"),
    N_("Decoding recordings: {done} of {total}"),
    N_("done"),
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


def translated(message: str) -> str:
    """`message` in the reader's language; as it is where no template fits."""
    if language() == SOURCE:
        return message
    for template in TEMPLATES:
        match = _pattern(template).fullmatch(message)
        if match:
            values = match.groupdict()
            return _(template).format(**{key: _(v) if key in TRANSLATED_VALUES else v for key, v in values.items()})
    return message


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )
