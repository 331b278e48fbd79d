"""What a detector's threshold rests on, in words."""

from collections.abc import Mapping
from typing import Any

from dashboard.markup import plain
from pipeline.i18n import _, duration, ngettext, number, translated
from pipeline.wakeword.threshold import STREAM


def rests_on(basis: Mapping[str, Any]) -> str:
    """Of a basis as a model folder keeps it: hours, false alarms and the interval of their rate."""
    low, high = basis["fah_interval"]
    text = (
        ngettext(
            "The threshold rests on a stream of {duration} with {n} false alarm",
            "The threshold rests on a stream of {duration} with {n} false alarms",
            basis["false_alarms"],
        )
        if basis["source"] == STREAM
        else ngettext(
            "The threshold rests on {duration} of validation negatives with {n} false alarm",
            "The threshold rests on {duration} of validation negatives with {n} false alarms",
            basis["false_alarms"],
        )
    )
    rate = _("{low} to {high} per hour (95%)").format(low=number(low, 2), high=number(high, 2))
    return f"{text.format(duration=translated(duration(basis['hours'])), n=number(basis['false_alarms']))}: {rate}."


def all_rest_on(bases: Mapping[str, Mapping[str, Any]]) -> str:
    """Of the threshold of each word, of a detector of one under ""."""
    return " ".join(f"{plain(word)}: {rests_on(basis)}" if word else rests_on(basis) for word, basis in bases.items())
