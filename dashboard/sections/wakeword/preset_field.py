"""The choice of a detector's settings at run time."""

from streamlit.delta_generator import DeltaGenerator

from pipeline.i18n import N_, _
from pipeline.wakeword.runtime.detector import PRESETS

AS_TRAINED = "as trained"  # not shown
TITLES = {
    AS_TRAINED: N_("as trained"), "aggressive": N_("aggressive"), "balanced": N_("balanced"),
    "conservative": N_("conservative"),
}  # fmt: skip


def preset_field(where: DeltaGenerator, key: str) -> str | None:
    """None for the settings that it was trained with."""
    chosen = where.selectbox(_("Detector preset"), [AS_TRAINED, *PRESETS], format_func=_title, key=key)
    return None if chosen == AS_TRAINED else chosen


def _title(name: str) -> str:
    return _(TITLES.get(name, name))
