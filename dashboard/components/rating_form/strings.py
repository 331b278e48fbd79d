"""The words of the rating form in the reader's language; its JavaScript has none of its own."""

from typing import Any

from dashboard.components.player.strings import player_keys, player_strings
from dashboard.components.rating_form.tier_strings import tier_keys, tier_strings
from pipeline.i18n import _


def form_strings() -> dict[str, Any]:
    return {
        **player_strings(),
        **tier_strings(),
        "save": _("Save and next"),
        "save_help": _("Save and next (Enter)"),
        "skip": _("Skip"),
        "skip_help": _("Skip (s)"),
        "flag": _("Flag"),
        "flag_help": _("Flag (f)"),
        "undo": _("Undo"),
        "undo_help": _("Undo (u)"),
        "previous_help": _("Your previous recording (←)"),
        "next_help": _("Back to the next recording (→)"),
        "autoplay": _("Play automatically"),
        "notes": _("Notes"),
        "notes_hint": _("Notes (m)"),
        "score": _("{dimension}, {low} to {high}"),
        "slider": _("Score slider"),
        "bands": _("Bands"),
        "marks": _("Marks on words and sounds"),
        "marks_hint": _("Click a word or a sound, or press w and x"),
        "no_mark": _("no mark"),
        "progress_help": _("rated, skipped or flagged"),
        "saving": _("Saving …"),
        "listen_first": _("Listen first: press Space, then rate."),
        "hear_all_first": _("Hear the whole recording once before you save your rating."),
        "score_first": _("Give a score first: 1–5 for a band, then j and k."),
        "dimensions_first": _("Rate every dimension first."),
        "why_skip": _("Why skip it?"),
        "why_flag": _("What is wrong with the recording?"),
        "other_reason": _("or in your own words"),
        "other_reason_label": _("Reason in your own words"),
        "reason_first": _("Choose a reason first."),
        "skip_confirm": _("Skip and next"),
        "flag_confirm": _("Flag and next"),
        "cancel": _("Cancel (Esc)"),
        "keys": _("Keys (?)"),
        "key_list": _keys(),
    }


def _keys() -> list[tuple[list[str], str]]:
    """Which keys do what, for the list below the form."""
    return [
        *player_keys(),
        (["1–9"], _("level from below (word), or the value itself; 0 is 10 (sentence)")),
        (["z"], _("the lowest score")),
        (["j", "k"], _("one down, one up")),
        (["J", "K"], _("ten down, ten up")),
        (["↑", "↓"], _("previous or next dimension")),
        (["w", "x"], _("next word, mark it")),
        (["m"], _("write notes; Esc leaves them")),
        ([_("Enter")], _("save and next")),
        (["s"], _("skip")),
        (["f"], _("flag")),
        (["u"], _("undo")),
        (["←", "→"], _("your earlier recordings, and back")),
        (["?"], _("show or hide these keys")),
        *tier_keys(),
    ]
