"""The words of the tiers, in the reader's language."""

from typing import Any

from pipeline.i18n import _, pgettext


def tier_strings() -> dict[str, Any]:
    return {
        "tier_panel": _("Edit the tiers"),
        "tier_label": _("Label (L)"),
        "tier_heard": _("heard as …"),
        "tier_ends": {"start_s": _("start"), "end_s": _("end")},
        "tier_nudge": _("Move the boundary by {ms} ms"),
        "tier_marks": {
            "mispronounced": _("wrong"),
            "accent": _("accent"),
            "missing": _("omitted"),
            "added": _("added"),
            "stress": _("stress"),
            "tone": _("tone"),
        },
        "tier_edits": {
            "split": _("Split"),
            "merge": _("Merge"),
            "add": _("Add"),
            "remove": _("Delete"),
            "tier_undo": "↶",
            "tier_redo": "↷",
            "comment": _("Comment"),
            "now": _("Mark now"),
        },
        "tier_help": {
            "tiers": _("Show or hide the tiers of words and sounds (o)"),
            "start_s": _("Move the start (Home)"),
            "end_s": _("Move the end (End)"),
            "split": _("Split at the cursor, else in the middle (S)"),
            "merge": _("Merge with the next (M)"),
            "add": _("Add one at the cursor, or over the selection (A)"),
            "remove": _("Delete (D)"),
            "tier_undo": _("Undo the last change of the tiers (U)"),
            "tier_redo": _("Redo (Y)"),
            "comment": _("Comment at the cursor (C)"),
            "now": _("Mark this moment while it plays (N)"),
        },
        "tier_no_split": _("This segment is too short to split."),
        "tier_no_next": _("Nothing follows to merge with."),
        "tier_no_room": _("There is no room at the cursor in this tier."),
    }


def tier_keys() -> list[tuple[list[str], str]]:
    """Which keys do what in the tiers, for the list below the form."""
    return [
        (["o"], _("show the tiers of words and sounds, go to them, or fold them")),
        (["←", "→", "↑", "↓"], _("in the tiers: next segment, other tier")),
        (["B"], _("play the segment")),
        (["⇧ ←", "⇧ →"], _("in the tiers: move the boundary 5 ms")),
        (["⇧ ↓", "⇧ ↑"], _("in the tiers: move the boundary 1 ms")),
        ([pgettext("key", "Home"), pgettext("key", "End")], _("in the tiers: move the start, the end")),
        (["S", "M"], _("split at the cursor, merge with the next")),
        (["A", "D"], _("add a segment, delete it")),
        (["L"], _("write its label; Enter leaves it")),
        (["W", "H", "O"], _("wrong sound (choose which), accent, left out")),
        (["I", "T", "P"], _("something added, stress, tone")),
        (["C", "N"], _("comment at the cursor, mark this moment")),
        (["U", "Y"], _("undo and redo in the tiers")),
    ]
