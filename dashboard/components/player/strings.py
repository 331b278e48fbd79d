"""The words of the player in the reader's language; its JavaScript has none of its own."""

from typing import Any

from pipeline.i18n import _, language


def player_strings() -> dict[str, Any]:
    return {
        "language": language(),
        "player": _("Player"),
        "controls": _("Playback and view"),
        "pictures": _("Waveform and spectrogram: click to seek, drag to select"),
        "play": _("Play"),
        "pause": _("Pause"),
        "play_help": _("Play or pause (Space)"),
        "replay_help": _("Play from the start (h)"),
        "loop": _("Loop"),
        "loop_help": _("Loop (l); a and b set its ends"),
        "slower_help": _("Slower (,)"),
        "faster_help": _("Faster (.)"),
        "seconds": _("{n} s"),
        "time": _("{now} / {total} s"),
        "loop_range": _("loop {from}–{to} s ({ms} ms)"),
        "range": _("selection {from}–{to} s ({ms} ms)"),
        "loop_from": _("loop from {from} s"),
    }


def player_keys() -> list[tuple[list[str], str]]:
    """Which keys do what in the player, for a list of keys."""
    return [
        ([_("Space")], _("play or pause")),
        (["h"], _("play from the start")),
        (["a", "b"], _("start and end of the selection")),
        (["l"], _("loop on or off")),
        ([",", "."], _("slower, faster")),
        (["+", "-"], _("zoom in, zoom out")),
        (["n", "e"], _("show the selection, show everything")),
        (["⇧ ←", "⇧ →"], _("scroll back, scroll on")),
    ]
