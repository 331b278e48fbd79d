"""What a band of scores means to a learner, by its key in `pipeline.records.BANDS`; shown through `_`.

Experts and researchers read the bands' own labels.
"""

from pipeline.i18n import N_

BAND_NAMES = {
    "excellent": N_("Excellent"),
    "good": N_("Good"),
    "fair": N_("Fair"),
    "poor": N_("Several sounds to work on"),
    "very_poor": N_("Many sounds to work on"),
}
BAND_MEANINGS = {
    "excellent": N_("Excellent: clear and natural"),
    "good": N_("Good: clear and easy to understand"),
    "fair": N_("Fair: some things to work on"),
    "poor": N_("Several sounds to work on"),
    "very_poor": N_("Many sounds to work on"),
}
