"""The data behind a figure, in the same words wherever one is shown: which recordings, whose scores, what was held
out."""

from dataclasses import dataclass

from dashboard.markup import plain
from pipeline.i18n import N_, _, ngettext, number

# What an evaluation calls the scores that it compared with.
REFERENCES = {
    "released": N_("the released scores"),
    "median": N_("the median of the raters"),
    "consensus": N_("the consensus of the raters"),
    "single": N_("the scores of one rater"),
    "mixed": N_("consensus scores and scores of one rater"),
    "mock": N_("made-up scores"),
    "synthetic": N_("scores that follow from synthetic voices"),
}
HELD_OUT_SPEAKERS = N_("speakers that the model had not heard")


@dataclass(frozen=True)
class DataBehind:
    """`source` is a set, a corpus or a file; `n` and `n_speakers` are None where they are unknown. `reference` is a key
    of REFERENCES or text of its own; `held_out` says on what the model was measured, in words that follow "on"."""

    source: str
    part: str = ""
    n: int | None = None
    n_speakers: int | None = None
    reference: str = ""
    held_out: str = ""

    def text(self) -> str:
        """As Markdown, on one line."""
        place = _("**{source}**, part **{part}**") if self.part else _("**{source}**")
        parts = [place.format(source=plain(self.source), part=plain(self.part))]
        if self.n is not None:
            recordings = ngettext("{n} recording", "{n} recordings", self.n).format(n=number(self.n))
            if self.n_speakers is not None:
                speakers = ngettext("{n} speaker", "{n} speakers", self.n_speakers).format(n=number(self.n_speakers))
                recordings = _("{recordings} of {speakers}").format(recordings=recordings, speakers=speakers)
            parts.append(recordings)
        if self.reference:
            against = REFERENCES.get(self.reference, self.reference)
            parts.append(_("compared with {reference}").format(reference=_(against)))
        if self.held_out:
            parts.append(_("on {held_out}").format(held_out=_(self.held_out)))
        return _("Data: {parts}.").format(parts=" · ".join(parts))
