"""The speechocean762 corpus, as it is published and as a manifest.

The published folder (github jimbozhang/speechocean762; arXiv 2104.01378) holds `train/` and `test/` with Kaldi's
`wav.scp`, `utt2spk`, `spk2age`, `spk2gender`, the audio under `WAVE/`, and the scores in `resource/scores.json` and, a
value for each expert, `resource/scores-detail.json`. Everything is joined by utterance id: the files are not in the
same order.
"""

import statistics
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.corpus.readers.items import CorpusItem, Scan
from pipeline.corpus.readers.manifest import item_from_json, read_manifest
from pipeline.errors import CorpusError
from pipeline.records import Problem
from pipeline.text import lines_of

NAME = "speechocean762"
LICENCE = "Free for commercial and non-commercial use (speechocean762, arXiv 2104.01378)"
PARTS = ("train", "test")
DIMENSIONS = ("accuracy", "completeness", "fluency", "prosodic", "total")


def read_speechocean762(folder: Path) -> Scan:
    """Either layout. Raises CorpusError where the folder has neither."""
    if (folder / "manifest.jsonl").is_file():
        return read_manifest(folder / "manifest.jsonl")
    if is_published_layout(folder):
        return _read_published(folder)
    raise CorpusError(
        f"{folder} is not speechocean762: expected manifest.jsonl, or train/wav.scp, test/wav.scp and "
        f"resource/scores.json as published."
    )


def is_published_layout(folder: Path) -> bool:
    return (folder / "resource" / "scores.json").is_file() and any(
        (folder / part / "wav.scp").is_file() for part in PARTS
    )


def _read_published(folder: Path) -> Scan:
    scores = _read_json(folder / "resource" / "scores.json")
    detail_file = folder / "resource" / "scores-detail.json"
    details = _read_json(detail_file) if detail_file.is_file() else {}
    items: list[CorpusItem] = []
    problems: list[Problem] = []
    for part in PARTS:
        if not (folder / part / "wav.scp").is_file():
            continue
        tables = {name: _read_table(folder / part / name) for name in ("utt2spk", "spk2age", "spk2gender")}
        for utterance, audio in _read_table(folder / part / "wav.scp").items():
            try:
                raw = _row(utterance, audio, part, tables, scores[utterance], details.get(utterance, {}))
                items.append(item_from_json(raw, folder))
            except (CorpusError, ValueError, KeyError, TypeError, AttributeError) as error:
                reason = f"{error} has no entry" if isinstance(error, KeyError) else str(error)
                problems.append(Problem("bad_row", f"{part}/{utterance}: {reason}", "error", audio))
    if not items:
        raise CorpusError(
            f"{folder} has no usable utterance. {problems[0].message if problems else 'wav.scp is empty.'}"
        )
    return Scan(tuple(items), tuple(problems))


def _row(
    utterance: str,
    audio: str,
    part: str,
    tables: dict[str, dict[str, str]],
    score: dict[str, Any],
    detail: dict[str, Any],
) -> dict[str, Any]:
    speaker = tables["utt2spk"][utterance]
    experts = {key: detail[key] for key in DIMENSIONS if isinstance(detail.get(key), list)}
    row: dict[str, Any] = {
        "audio": audio,
        "part": part,
        "speaker": speaker,
        "text": score["text"],
        "released": {key: score[key] for key in DIMENSIONS if key in score},
        "experts": experts,
        "median": {key: statistics.median(values) for key, values in experts.items()},
        "words": [{key.replace("-", "_"): value for key, value in word.items()} for word in score.get("words", [])],
        "gender": tables["spk2gender"].get(speaker),
    }
    age = tables["spk2age"].get(speaker)
    return row if age is None else {**row, "age": int(age)}


def _read_table(path: Path) -> dict[str, str]:
    """A Kaldi table: key, white space, value. Raises CorpusError for a line without a value."""
    table: dict[str, str] = {}
    if not path.is_file():
        return table
    for number, line in enumerate(lines_of(path.read_text(encoding="utf-8")), start=1):
        if not line.strip():
            continue
        parts = line.split(maxsplit=1)
        if len(parts) != 2:
            raise CorpusError(f"{path}, line {number}: expected a key and a value, got {line!r}.")
        table[parts[0]] = parts[1].strip()
    return table


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = artifacts.read_json(path)
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(content, dict):
        raise CorpusError(f"{path} must hold one object with one entry per utterance.")
    return content
