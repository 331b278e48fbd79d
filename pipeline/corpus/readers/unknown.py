"""What to tell of a path that is no known layout: what is there, what is missing, and what would make it work."""

import os
from collections import Counter
from pathlib import Path
from posixpath import splitext

from pipeline.audio.load import AUDIO_SUFFIXES

OTHER_AUDIO = (".m4a", ".mp4", ".aac", ".webm", ".amr", ".3gp", ".wma", ".aiff", ".aif", ".caf", ".sph", ".mka")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx", ".xls", ".txt", ".lab", ".textgrid", ".scp",
          ".parquet", ".eaf", ".xml")  # fmt: skip
SHOWN = 3


def explained(path: Path) -> str:
    """In a few sentences."""
    if path.is_file():
        return (
            f"{path.name} is not a manifest. Expected a .jsonl, .json, .csv or .tsv file with audio and text, or a "
            f"folder."
        )
    audio, tables, n_folders = _survey(path)
    readable = {suffix: names for suffix, names in audio.items() if suffix in AUDIO_SUFFIXES}
    foreign = {suffix: names for suffix, names in audio.items() if suffix not in AUDIO_SUFFIXES}
    seen = [*_counted(audio, "audio file"), *_counted(tables, "table or text file")]
    said = [f"{path} has no recordings that can be imported as they lie."]
    said.append(f"Seen in {n_folders} folders: {'; '.join(seen)}." if seen else "There are no audio files in it.")
    if foreign and not readable:
        suffix = max(foreign, key=lambda key: len(foreign[key]))
        said.append(
            f"Missing: audio that can be read here ({', '.join(kind[1:] for kind in AUDIO_SUFFIXES)}). Convert it: "
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


def _survey(path: Path) -> tuple[dict[str, list[str]], dict[str, list[str]], int]:
    """Audio and tables by ending, and how many folders there are."""
    audio: dict[str, list[str]] = {}
    tables: dict[str, list[str]] = {}
    n_folders = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        n_folders += 1
        below = Path(folder).relative_to(path)
        for name in sorted(names):
            suffix = splitext(name)[1].lower()
            found = audio if suffix in (*AUDIO_SUFFIXES, *OTHER_AUDIO) else tables if suffix in TABLES else None
            if found is not None and not name.startswith("."):
                found.setdefault(suffix, []).append((below / name).as_posix())
    return audio, tables, n_folders


def _counted(found: dict[str, list[str]], what: str) -> list[str]:
    """`5 audio files (.m4a): a.m4a, b.m4a, c.m4a ...`, the most first."""
    counts = Counter({suffix: len(names) for suffix, names in found.items()})
    return [
        f"{n} {what}{'' if n == 1 else 's'} ({suffix}): {', '.join(found[suffix][:SHOWN])}{' ...' if n > SHOWN else ''}"
        for suffix, n in counts.most_common()
    ]
