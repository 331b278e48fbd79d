"""The words of the player in the reader's language; its JavaScript has none of its own."""

from typing import Any

from pipeline.i18n import N_, _, language, number

# In the order of the choices in settings.js.
WINDOWS = {3: N_("{n} ms (broad band)"), 5: N_("{n} ms (broad band)"), 10: N_("{n} ms"), 20: N_("{n} ms"),
           30: N_("{n} ms (narrow band)"), 50: N_("{n} ms (narrow band)")}  # fmt: skip
CEILINGS = {5000: N_("{n} Hz (low voice)"), 5500: N_("{n} Hz (high voice)"), 8000: N_("{n} Hz (child)")}
TOP_KHZ = (2, 3, 4, 5, 6, 8)
RANGES_DB = (30, 40, 50, 60, 70, 80, 90, 100)


def player_strings() -> dict[str, Any]:
    return {
        "language": language(),
        "player": _("Player"),
        "controls": _("Playback and view"),
        "pictures": _("Waveform and spectrogram: click to seek, drag to select"),
        "play": _("Play"),
        "pause": _("Pause"),
        "settings": _("View and sound"),
        "settings_help": _("View and sound (v)"),
        "setting_names": {
            "amplitude": _("Amplitude (d)"),
            "maxHz": _("Highest frequency"),
            "windowMs": _("Window length (g)"),
            "rangeDb": _("Dynamic range"),
            "pitch": _("Pitch (p)"),
            "formants": _("Formants (t)"),
            "intensity": _("Intensity (i)"),
            "ceilingHz": _("Formant ceiling"),
            "beside": _("Reference below the recording (c)"),
            "volume": _("Volume"),
        },
        "amplitudes": [_("linear"), _("decibels")],
        "frequencies": [_("{n} kHz").format(n=number(khz)) for khz in TOP_KHZ],
        "windows": [_(text).format(n=number(ms)) for ms, text in WINDOWS.items()],
        "ranges": [_("{n} dB").format(n=number(level)) for level in RANGES_DB],
        "ceilings": [_(text).format(n=number(hz)) for hz, text in CEILINGS.items()],
        "tracks": _("Show"),
        "reset": _("Standard settings"),
        "close": _("Close"),
        "out_help": _("Zoom out (-)"),
        "in_help": _("Zoom in (+)"),
        "whole_help": _("Show the whole recording (e)"),
        "recording": _("Recording"),
        "reference": _("Reference"),
        "reference_help": _("Switch between the recording and the reference (r)"),
        "play_help": _("Play or pause (Space)"),
        "replay_help": _("Play from the start (h)"),
        "loop_help": _("Loop (l)"),
        "slower_help": _("Slower (,)"),
        "faster_help": _("Faster (.)"),
        "seconds": _("{n} s"),
        "time": _("{now} / {total} s"),
        "selected": _("{from}–{to} s · {ms} ms"),
        "selected_from": _("from {from} s"),
        "tiers": _("Tiers"),
        "tier_names": {"words": _("Words"), "phones": _("Sounds"), "comments": _("Comments")},
        "tier_empty": _("no label"),
        "tier_range": _("{from}–{to} s"),
        "rater_tiers": _("Segments of the raters"),
        "rater_tiers_help": _("Show or hide the segments of the raters (o)"),
        "rater_tier": _("{tier} · {rater}"),
    }


def player_keys() -> list[tuple[list[str], str]]:
    """Which keys do what in the player, for a list of keys."""
    return [
        ([_("Space")], _("play or pause")),
        (["h"], _("play from the start")),
        (["<", ">"], _("move the cursor")),
        (["a", "b"], _("start and end of the selection")),
        (["l"], _("loop on or off")),
        ([",", "."], _("slower, faster")),
        (["+", "-"], _("zoom in, zoom out")),
        (["n", "e"], _("zoom to the selection, show the whole recording")),
        (["⇧ ←", "⇧ →"], _("scroll back, scroll on")),
        (["p", "t", "i"], _("pitch, formants, intensity")),
        (["d", "g"], _("amplitude in dB, narrow-band spectrogram")),
        (["v"], _("view and sound settings")),
        (["r", "c"], _("recording or reference, both at once")),
    ]


def rater_tier_keys() -> list[tuple[list[str], str]]:
    """Which keys do what in the segments of raters."""
    return [
        (["o"], _("show or hide the segments of the raters")),
        (["←", "→", "↑", "↓"], _("in the segments: next segment, other rater or tier")),
        (["B", _("Enter")], _("play the segment")),
    ]
