"""One row of a manifest as an utterance."""

import json
import math
import statistics
from itertools import chain
from posixpath import splitext
from typing import Any

from pipeline.corpus.readers.items import CorpusItem, language_given
from pipeline.corpus.readers.manifest_columns import NAMES, OUR_KEYS, REQUIRED, TIMES, TIMES_OF_A_PIECE, named
from pipeline.corpus.readers.manifest_pieces import CUT_FROM
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message
from pipeline.people.names import spaced
from pipeline.records import NO_SPEAKER, RubricName
from pipeline.text import composed

# What one line of somebody's file can be wrong with, down to text that is no text and numbers beyond any float.
UNUSABLE = (CorpusError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError)
LANGUAGE_OF_SPEECHOCEAN = "en"
MOST_SHOWN = 12  # names of columns in a message


def item_from_json(raw: dict[str, Any], places: AudioPlaces) -> CorpusItem:
    """One row, with our names for its keys, and the times of a piece under `CUT_FROM`. Raises KeyError, ValueError or
    CorpusError for one that cannot be used."""
    row = named(raw)
    for key in REQUIRED:
        if key not in row:
            raise CorpusError(_missing(key, raw))
    audio = row["audio"]
    if isinstance(audio, dict):  # as `datasets` writes an audio column
        audio = audio["path"]
    if audio in (None, ""):
        raise CorpusError(N_("{key} is empty"), key="'audio'")
    audio = places.relative(str(audio))
    json.dumps(raw, ensure_ascii=False).encode()
    text = str(row["text"] if row["text"] is not None else "").strip()
    if not text:
        raise CorpusError(N_("{key} is empty"), key="'text'")
    dimensional = any(row.get(key) for key in ("experts", "median", "released"))
    experts = {key: [_expert(v) for v in values] for key, values in (row.get("experts") or {}).items()}
    one_word = not dimensional and len(text.split()) == 1
    extra = {key: value for key, value in row.items() if key not in OUR_KEYS}
    if "words" in extra:
        extra["words"] = _words(extra["words"])
    if not TIMES_OF_A_PIECE.isdisjoint(extra):
        extra[CUT_FROM] = {name: extra.pop(name) for name in chain(*TIMES.values()) if name in extra}
    return CorpusItem(
        key=composed(splitext(audio)[0]),
        audio=audio,
        text=text,
        speaker=_name(row.get("speaker")) or NO_SPEAKER,
        rubric=RubricName(row.get("rubric") or (RubricName.WORD if one_word else RubricName.SENTENCE)),
        language=language_given(_name(row.get("language")) or (LANGUAGE_OF_SPEECHOCEAN if dimensional else "")),
        part=_name(row.get("part")) or None,
        experts=experts,
        median={key: _finite(value) for key, value in (row.get("median") or {}).items()} or _medians(experts),
        released={key: _finite(value) for key, value in (row.get("released") or {}).items()},
        score=None if row.get("score") in (None, "") else _finite(row["score"], high=100.0),
        extra=extra,
        ratings=tuple(row.get("ratings") or ()),
    )


def _missing(key: str, raw: dict[str, Any]) -> Message:
    """Which names the row has instead, and which it could have."""
    if not raw:
        return Message(N_("{key} is missing"), key=f"'{key}'")
    columns = ", ".join(str(name)[:40] for name in list(raw)[:MOST_SHOWN])
    return Message(
        N_("{key} is missing among {columns}; its column may be named {names}"),
        key=f"'{key}'", columns=columns, names=", ".join(NAMES[key]),
    )  # fmt: skip


def _medians(experts: dict[str, list[float]]) -> dict[str, float]:
    given = {key: [value for value in values if not math.isnan(value)] for key, values in experts.items()}
    return {key: statistics.median(values) for key, values in given.items() if values}


def _name(value: Any) -> str:
    """A name as every name is kept; "" for none. 0 is a name."""
    return "" if value is None else spaced(str(value))


def _words(value: Any) -> list[dict[str, Any]]:
    """The words of a text, each with `text` and `phones` (a list; a string is split at blanks)."""
    if not isinstance(value, list) or not all(isinstance(word, dict) and "text" in word for word in value):
        raise CorpusError(N_("'words' must be a list of objects with 'text', got {content}"), content=str(value)[:60])
    words: list[dict[str, Any]] = []
    for word in value:
        phones = word.get("phones") or []
        listed = phones.split() if isinstance(phones, str) else [str(phone) for phone in phones]
        words.append({**word, "text": str(word["text"]), "phones": listed})
    return words


def _expert(value: Any) -> float:
    return math.nan if value is None else _finite(value)


def _finite(value: Any, high: float = 10.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CorpusError(N_("expected a number, got {value}"), value=f"{value!r:.80}")
    if not 0.0 <= value <= high:
        raise CorpusError(N_("{value} lies outside 0-{high}"), value=repr(value), high=f"{high:g}")
    return float(value)
