"""The choice of a detector's settings at run time."""

from streamlit.delta_generator import DeltaGenerator

from pipeline.i18n import N_, _
from pipeline.wakeword.runtime.detector import PRESETS

AS_SET = "as it is set"  # not shown
TITLES = {
    AS_SET: N_("as it is set"), "aggressive": N_("aggressive"), "balanced": N_("balanced"),
    "conservative": N_("conservative"),
}  # fmt: skip


def preset_field(where: DeltaGenerator, key: str) -> str | None:
    """None for the detector's own settings: as it was trained, or as an evaluation set them since."""
    chosen = where.selectbox(_("Detector preset"), [AS_SET, *PRESETS], format_func=_title, key=key)
    return None if chosen == AS_SET else chosen


def _title(name: str) -> str:
    return _(TITLES.get(name, name))
