"""The kinds of projects, as they are shown."""

from pipeline.i18n import N_
from pipeline.projects.project import PAIRS, RATINGS

KIND_LABELS = {RATINGS: N_("Ratings"), PAIRS: N_("Pair comparisons")}
KIND_HELPS = {
    RATINGS: N_("Experts rate one recording at a time."),
    PAIRS: N_("Experts hear two recordings and say which is better. One scale follows from all answers."),
}
