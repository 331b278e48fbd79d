"""The words of the pair desk in the reader's language; its JavaScript has none of its own."""

from typing import Any

from dashboard.components.player.strings import player_strings
from pipeline.i18n import _


def pair_strings(*, ties: bool) -> dict[str, Any]:
    return {
        **player_strings(),
        "which": _("Which is better?"),
        "left": _("A is better"),
        "right": _("B is better"),
        "tie": _("No difference"),
        "left_help": _("A is better (1 or ←)"),
        "right_help": _("B is better (2 or →)"),
        "tie_help": _("No difference (t)"),
        "play_both": _("Play A, then B"),
        "play_both_help": _("Play A, then B; stop (Space)"),
        "heard": _("heard"),
        "not_heard": _("not heard yet"),
        "save": _("Save and next"),
        "save_help": _("Save and next (Enter)"),
        "skip": _("Skip"),
        "skip_help": _("Skip (s)"),
        "undo": _("Undo"),
        "undo_help": _("Undo (u)"),
        "autoplay": _("Play automatically"),
        "progress_help": _("compared or skipped"),
        "saving": _("Saving …"),
        "listen_first": _("Listen to both recordings first, then choose."),
        "choose_first": _("Choose A, B or no difference first.") if ties else _("Choose A or B first."),
        "why_skip": _("Why skip it?"),
        "other_reason": _("or in your own words"),
        "other_reason_label": _("Reason in your own words"),
        "reason_first": _("Choose a reason first."),
        "skip_confirm": _("Skip and next"),
        "cancel": _("Cancel (Esc)"),
        "keys": _("Keys (?)"),
        "key_list": _keys(ties=ties),
    }


def _keys(*, ties: bool) -> list[tuple[list[str], str]]:
    """Which keys do what, for the list below the desk."""
    return [
        ([_("Space")], _("play A, then B; stop")),
        (["a", "b"], _("play A, play B")),
        (["1", "←"], _("A is better")),
        (["2", "→"], _("B is better")),
        *([(["t"], _("no difference"))] if ties else []),
        ([_("Enter")], _("save and next")),
        (["s"], _("skip")),
        (["u"], _("undo")),
        (["?"], _("show or hide these keys")),
    ]
