"""The speechocean762 corpus, as it is published.

The folder (github jimbozhang/speechocean762; arXiv 2104.01378) holds `train/` and `test/` with Kaldi's tables, the
audio under `WAVE/`, and in `resource/` the released scores (`scores.json`), a value for each expert
(`scores-detail.json`) and the canonical phones (`text-phone`). Everything is joined by utterance id: the files are not
in the same order. The hub's `mispeech/speechocean762` has the same in parquet files, read by `hub_dataset`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.corpus.readers.items import Entry, Reading
from pipeline.corpus.readers.kaldi import WAVES, audio_of, table
from pipeline.corpus.readers.manifest_items import UNUSABLE, item_from_json
from pipeline.corpus.readers.places import AudioPlaces
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_, Message, about
from pipeline.records import Problem

NAME = "speechocean762"
HUB_NAME = "mispeech/speechocean762"
LICENCE = "Free for commercial and non-commercial use (speechocean762, arXiv 2104.01378)"
PARTS = ("train", "test")
DIMENSIONS = ("accuracy", "completeness", "fluency", "prosodic", "total")
WORD_DIMENSIONS = ("accuracy", "stress", "total")
SCORES, DETAILS, PHONES_FILE = "scores.json", "scores-detail.json", "text-phone"


def is_published_layout(folder: Path) -> bool:
    return _resource(folder) is not None and bool(_parts(folder))


def read_published(folder: Path) -> Reading:
    """Raises CorpusError where the scores cannot be read."""
    resource = _resource(folder)
    if resource is None:
        raise CorpusError(N_("{folder} has no resource/{scores}."), folder=str(folder), scores=SCORES)
    scores = _read_json(resource / SCORES)
    details = _read_json(resource / DETAILS) if (resource / DETAILS).is_file() else {}
    phones = _phones(table(resource / PHONES_FILE))
    waves = {part: table(place / WAVES) for part, place in _parts(folder).items()}
    total = sum(map(len, waves.values()))
    return Reading(folder, _entries(folder, waves, scores, details, phones), total)


def _entries(
    folder: Path,
    waves: dict[str | None, dict[str, str]],
    scores: dict[str, Any],
    details: dict[str, Any],
    phones: dict[str, list[list[str]]],
) -> Iterator[Entry]:
    places = AudioPlaces(folder, search=True)
    for part, place in _parts(folder).items():
        tables = {name: table(place / name) for name in ("utt2spk", "spk2age", "spk2gender")}
        for utterance, audio in waves[part].items():
            try:
                speaker = tables["utt2spk"][utterance]
                age = tables["spk2age"].get(speaker)
                raw = {
                    "id": utterance,
                    "audio": audio_of(audio, places),
                    "part": part,
                    "speaker": speaker,
                    "gender": tables["spk2gender"].get(speaker),
                    **({} if age is None else {"age": int(age)}),
                    **scores_of(scores[utterance], details.get(utterance, {}), phones.get(utterance, [])),
                }
                yield item_from_json(raw, places)
            except UNUSABLE as error:
                reason = said_by(error)
                if isinstance(error, KeyError):
                    reason = Message(N_("{key} has no entry"), key=str(error))
                yield Problem("bad_row", about(f"{part or folder.name}/{utterance}", reason), "error", audio)


def scores_of(score: Mapping[str, Any], detail: Mapping[str, Any], phones: list[list[str]]) -> dict[str, Any]:
    """Text, released and experts' scores, and words of one utterance, with the names that a manifest has."""
    return {
        "text": score["text"],
        "released": {key: score[key] for key in DIMENSIONS if score.get(key) is not None},
        "experts": {key: detail[key] for key in DIMENSIONS if isinstance(detail.get(key), list)},
        "words": words_of(score.get("words") or [], detail.get("words") or [], phones),
    }


def words_of(released: list[Any], details: list[Any], phones: list[list[str]]) -> list[dict[str, Any]]:
    """The released words with, where they are there, each expert's scores and transcription (`transcribed`)."""
    words = []
    for number, word in enumerate(released):
        row = {key.replace("-", "_"): value for key, value in word.items()}
        row["mispronunciations"] = [
            {key.replace("-", "_"): value for key, value in wrong.items()}
            for wrong in row.get("mispronunciations") or []
        ]
        if not row.get("phones") and number < len(phones):
            row["phones"] = phones[number]
        if len(details) == len(released):
            detail = details[number]
            row |= {key: detail[key] for key in WORD_DIMENSIONS if isinstance(detail.get(key), list)}
            if isinstance(detail.get("phones"), list):
                row["transcribed"] = [str(text) for text in detail["phones"]]
        words.append(row)
    return words


def _parts(folder: Path) -> dict[str | None, Path]:
    """The parts with their folders; a folder that has a part's tables itself has no part."""
    parts: dict[str | None, Path] = {part: folder / part for part in PARTS if (folder / part / WAVES).is_file()}
    return parts or ({None: folder} if (folder / WAVES).is_file() else {})


def _resource(folder: Path) -> Path | None:
    """Where the scores lie: in `resource/`, or beside the parts."""
    return next((place for place in (folder / "resource", folder) if (place / SCORES).is_file()), None)


def _phones(rows: dict[str, str]) -> dict[str, list[list[str]]]:
    """`text-phone` has a line a word, `UTTERANCE.NUMBER PHONE_B PHONE_E`: the phones of each word of an utterance."""
    words: dict[str, dict[int, list[str]]] = {}
    for key, value in rows.items():
        utterance, _, number = key.rpartition(".")
        if number.isdigit():
            words.setdefault(utterance, {})[int(number)] = [phone.partition("_")[0] for phone in value.split()]
    return {utterance: [numbered[n] for n in sorted(numbered)] for utterance, numbered in words.items()}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = artifacts.read_json(path)
    except (OSError, ValueError) as error:
        raise CorpusError(
            N_("{path} cannot be read as JSON: {reason}."), path=str(path), reason=said_by(error)
        ) from error
    if not isinstance(content, dict):
        raise CorpusError(N_("{path} must hold one object with one entry per utterance."), path=str(path))
    return content
