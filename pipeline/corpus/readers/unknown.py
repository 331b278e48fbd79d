"""What to tell of a path that is no known layout: what is there, what is missing, and what would make it work."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import splitext

from pipeline.audio.load import AUDIO_SUFFIXES, KINDS_IN_WORDS

OTHER_AUDIO = (".m4a", ".mp4", ".aac", ".webm", ".amr", ".3gp", ".wma", ".aiff", ".aif", ".caf", ".sph", ".mka")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx", ".xls", ".txt", ".lab", ".textgrid", ".scp",
          ".parquet", ".eaf", ".xml")  # fmt: skip
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
SHOWN = 3


def explained(path: Path) -> str:
    """In a few sentences."""
    if path.is_file():
        return (
            f"{path.name} is not a manifest. Expected a .jsonl, .json, .csv or .tsv file with audio and text, or a "
            f"folder."
        )
    survey = _survey(path)
    audio, tables, n_folders = survey.audio, survey.tables, survey.n_folders
    readable = {suffix: names for suffix, names in audio.items() if suffix in AUDIO_SUFFIXES}
    foreign = {suffix: names for suffix, names in audio.items() if suffix not in AUDIO_SUFFIXES}
    seen = [
        *_counted(audio, "audio file"), *_counted(tables, "table or text file"),
        *_counted(survey.archives, "archive"), *_counted(survey.others, "other file"),
    ]  # fmt: skip
    said = [f"{path} has no recordings that can be imported as they lie."]
    where = "1 folder" if n_folders == 1 else f"{n_folders} folders"
    said.append(f"Seen in {where}: {'; '.join(seen)}." if seen else "There are no files in it.")
    if survey.archives:
        said.append("Unpack the archives, and import the folder again.")
    if foreign and not readable:
        suffix = max(foreign, key=lambda key: len(foreign[key]))
        said.append(
            f"Missing: audio that can be read here ({KINDS_IN_WORDS}). Convert it: "
            f'for f in *{suffix}; do ffmpeg -i "$f" -ar 16000 -ac 1 "${{f%{suffix}}}.wav"; done'
        )
    if audio:
        example = next(iter((readable or foreign).values()))[0]
        example = example if readable else f"{splitext(example)[0]}.wav"
        row = f'{{"audio": "{example}", "text": "what was to be said", "speaker": "s01"}}'
        said.append(
            f"Missing: a text for each recording. Write it beside the audio ({splitext(example)[0]}.txt), or one line "
            f"for each into {path / 'manifest.jsonl'}: {row} Then: pronlab import {path}"
        )
    else:
        said.append(
            "Expected participant_*/kelimeler/01_word.wav, a manifest.jsonl, or a corpus as it is published; "
            "`pronlab import --help` lists the layouts."
        )
    return " ".join(said)


@dataclass
class _Survey:
    """Files by ending, as paths below the folder."""

    audio: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[str]] = field(default_factory=dict)
    archives: dict[str, list[str]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    n_folders: int = 0

    def files_like(self, suffix: str) -> dict[str, list[str]]:
        if suffix in (*AUDIO_SUFFIXES, *OTHER_AUDIO):
            return self.audio
        return self.tables if suffix in TABLES else self.archives if suffix in ARCHIVES else self.others


def _survey(path: Path) -> _Survey:
    survey = _Survey()
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        survey.n_folders += 1
        below = Path(folder).relative_to(path)
        for name in sorted(names):
            suffix = splitext(name)[1].lower()
            if not name.startswith("."):
                survey.files_like(suffix).setdefault(suffix, []).append((below / name).as_posix())
    return survey


def _counted(found: dict[str, list[str]], what: str) -> list[str]:
    """`5 audio files (.m4a): a.m4a, b.m4a, c.m4a ...`, the most first."""
    counts = Counter({suffix: len(names) for suffix, names in found.items()})
    lines: list[str] = []
    for suffix, n in counts.most_common():
        some = ", ".join(found[suffix][:SHOWN]) + (" ..." if n > SHOWN else "")
        lines.append(f"{n} {what}{'' if n == 1 else 's'} ({suffix or 'without an ending'}): {some}")
    return lines
