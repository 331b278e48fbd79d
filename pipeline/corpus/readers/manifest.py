"""Corpora given as a JSON-lines manifest: one utterance a line, audio relative to the manifest's folder.

A line needs `audio` and `text`; `speaker`, `part`, `language`, `score` (0-100) are optional, and the format of
`shared/data/speechocean762` (`experts`, `median`, `released`, `words`, ...) is understood.
"""

import json
import math
import statistics
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import jsonl
from pipeline.corpus.readers.items import CorpusItem, Scan
from pipeline.corpus.sets import confined, spelled
from pipeline.errors import CorpusError
from pipeline.records import Problem, RubricName
from pipeline.text import composed

# What one line of somebody's file can be wrong with, down to text that is no text and numbers beyond any float.
UNUSABLE = (CorpusError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError)
EXTRA_KEYS = ("age", "gender", "released", "median", "words")
LANGUAGE_OF_SPEECHOCEAN = "en"


def read_manifest(path: Path) -> Scan:
    """Every usable line; the others are listed. Raises CorpusError where the file is missing or no line is usable."""
    items: dict[str, CorpusItem] = {}
    problems: list[Problem] = []
    try:
        for line in jsonl.lines(path):
            try:
                if line.error is not None:
                    raise CorpusError(line.error.reason)
                item = item_from_json(line.value, path.parent)
                if item.key in items:
                    raise CorpusError(f"the id {item.key!r} is used twice")
            except UNUSABLE as error:
                reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                problems.append(Problem("bad_row", f"Line {line.number}: {reason}", "error", path.name))
                continue
            items[item.key] = item
    except OSError as error:
        raise CorpusError(f"The manifest {path} cannot be read: {error}.") from error
    if not items:
        first = f" First problem: {problems[0].message}" if problems else ""
        raise CorpusError(f"{path} has no usable line; expected JSON objects with 'audio' and 'text'.{first}")
    return Scan(tuple(items.values()), tuple(problems))


def item_from_json(raw: dict[str, Any], root: Path) -> CorpusItem:
    """Raises KeyError, ValueError or CorpusError for a line that cannot be used."""
    audio = str(PurePosixPath(raw["audio"]))
    if ".." in PurePosixPath(audio).parts:
        raise CorpusError(f"'audio' points outside the manifest's folder: {audio!r}")
    audio = spelled(root, audio)
    json.dumps(raw, ensure_ascii=False).encode()
    confined(root, audio)
    text = str(raw["text"]).strip()
    if not text:
        raise ValueError("'text' is empty")
    dimensional = any(key in raw for key in ("experts", "median", "released"))
    experts = {key: [_finite(v) for v in values] for key, values in raw.get("experts", {}).items()}
    one_word = not dimensional and len(text.split()) == 1
    return CorpusItem(
        key=composed(str(PurePosixPath(audio).with_suffix(""))),
        audio=audio,
        text=text,
        speaker=str(raw.get("speaker") or "unknown"),
        rubric=RubricName(raw.get("rubric") or (RubricName.WORD if one_word else RubricName.SENTENCE)),
        language=str(raw.get("language") or (LANGUAGE_OF_SPEECHOCEAN if dimensional else "und")),
        part=None if raw.get("part") is None else str(raw["part"]),
        experts=experts,
        median={key: _finite(value) for key, value in raw.get("median", {}).items()}
        or {key: statistics.median(values) for key, values in experts.items() if values},
        released={key: _finite(value) for key, value in raw.get("released", {}).items()},
        score=None if raw.get("score") is None else _finite(raw["score"], high=100.0),
        extra={key: _words(raw[key]) if key == "words" else raw[key] for key in EXTRA_KEYS if key in raw},
    )


def _words(value: Any) -> list[dict[str, Any]]:
    """The words of a text, each with `text` and `phones` (a list; a string is split at blanks)."""
    if not isinstance(value, list) or not all(isinstance(word, dict) and "text" in word for word in value):
        raise ValueError(f"'words' must be a list of objects with 'text', got {str(value)[:60]}")
    words: list[dict[str, Any]] = []
    for word in value:
        phones = word.get("phones") or []
        listed = phones.split() if isinstance(phones, str) else [str(phone) for phone in phones]
        words.append({**word, "text": str(word["text"]), "phones": listed})
    return words


def _finite(value: Any, high: float = 10.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected a number, got {value!r}")
    if not 0.0 <= value <= high:
        raise ValueError(f"{value!r} lies outside 0-{high:g}")
    return float(value)
