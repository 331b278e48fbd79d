"""What to tell of a path that is no known layout: what is there, what is missing, and what would make it work."""

import json
import os
import shlex
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import splitext

from pipeline.audio.load import AUDIO_SUFFIXES, KINDS_IN_WORDS
from pipeline.i18n import N_, NN_, Message, joined

OTHER_AUDIO = (".m4a", ".mp4", ".aac", ".webm", ".amr", ".3gp", ".wma", ".aiff", ".aif", ".caf", ".sph", ".mka")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx", ".xls", ".txt", ".lab", ".textgrid", ".scp",
          ".parquet", ".eaf", ".xml")  # fmt: skip
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
SHOWN = 3


def explained(path: Path) -> Message:
    """In a few sentences."""
    if path.is_file():
        return Message(
            N_(
                "{name} is not a manifest. Expected a .jsonl, .json, .csv or .tsv file with audio and text, or a "
                "folder."
            ),
            name=path.name,
        )
    survey = _survey(path)
    audio, tables, n_folders = survey.audio, survey.tables, survey.n_folders
    readable = {suffix: names for suffix, names in audio.items() if suffix in AUDIO_SUFFIXES}
    foreign = {suffix: names for suffix, names in audio.items() if suffix not in AUDIO_SUFFIXES}
    seen = [
        *_counted(audio, N_("audio files")), *_counted(tables, N_("tables or text files")),
        *_counted(survey.archives, N_("archives")), *_counted(survey.others, N_("other files")),
    ]  # fmt: skip
    said = [Message(N_("{path} has no recordings that can be imported as they lie."), path=str(path))]
    if not seen:
        said.append(Message(N_("There are no files in it.")))
    else:
        where = NN_("Seen in {n} folder: {files}.", "Seen in {n} folders: {files}.")
        said.append(Message(where, n=n_folders, files=joined(seen)))
    if survey.archives:
        said.append(Message(N_("Unpack the archives, and import the folder again.")))
    if foreign and not readable:
        suffix = max(foreign, key=lambda key: len(foreign[key]))
        said.append(
            Message(
                N_("Missing: audio that can be read here ({kinds}). Convert it: {command}"),
                kinds=KINDS_IN_WORDS,
                command=f'for f in *{suffix}; do ffmpeg -i "$f" -ar 16000 -ac 1 "${{f%{suffix}}}.wav"; done',
            )
        )
    if audio:
        example = next(iter((readable or foreign).values()))[0]
        example = example if readable else f"{splitext(example)[0]}.wav"
        row = json.dumps({"audio": example, "text": "what was to be said", "speaker": "s01"}, ensure_ascii=False)
        said.append(
            Message(
                N_(
                    "Missing: a text for each recording. Write it beside the audio ({text}), or one line for each into "
                    "{manifest}: {row} Then: {command}"
                ),
                text=f"{splitext(example)[0]}.txt",
                manifest=str(path / "manifest.jsonl"),
                row=row,
                command=f"pronlab import {shlex.quote(str(path))}",
            )
        )
    else:
        said.append(
            Message(
                N_(
                    "Expected participant_*/kelimeler/01_word.wav, a manifest.jsonl, or a corpus as it is published; "
                    "`pronlab import --help` lists the layouts."
                )
            )
        )
    return joined(said, "")


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


def _counted(found: dict[str, list[str]], what: str) -> list[Message]:
    """`audio files (.m4a), 5: a.m4a, b.m4a, c.m4a ...`, the most first."""
    counts = Counter({suffix: len(names) for suffix, names in found.items()})
    lines: list[Message] = []
    for suffix, n in counts.most_common():
        some = ", ".join(found[suffix][:SHOWN]) + (" ..." if n > SHOWN else "")
        ending = suffix or Message(N_("without an ending"))
        lines.append(Message(N_("{kind} ({ending}), {n}: {names}"), kind=Message(what), ending=ending, n=n, names=some))
    return lines
