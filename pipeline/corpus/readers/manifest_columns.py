"""The columns of manifests: our names for them, and those that others write."""

from itertools import chain
from typing import Any

# Our name, then those of NeMo, Hugging Face, Common Voice and others, the better one first; last what people write in
# Turkish.
NAMES: dict[str, tuple[str, ...]] = {
    "audio": ("audio", "audio_filepath", "audio_path", "audio_file", "file_name", "filename", "path", "file", "wav",
              "ses", "ses dosyası", "ses kaydı", "dosya", "dosya adı"),
    "text": ("text", "sentence", "transcription", "transcript", "normalized_text", "normalised_text",
             "metin", "cümle", "kelime", "sözcük", "okunacak metin"),
    "speaker": ("speaker", "speaker_id", "client_id", "spk", "spk_id", "speaker_name",
                "konuşmacı", "konuşan", "konuşucu", "katılımcı", "öğrenci", "kişi"),
    "language": ("language", "lang", "locale", "dil"),
    "part": ("part", "split", "subset", "bölüm"),
    "score": ("score", "puan"),
}  # fmt: skip
# Of a piece of a longer recording, in seconds, as NeMo and others have them; one alone of `length` is the file's.
TIMES: dict[str, tuple[str, ...]] = {
    "start": ("offset", "start", "başlangıç"), "end": ("end", "bitiş"), "length": ("duration", "süre")
}  # fmt: skip
TIMES_OF_A_PIECE = frozenset((*TIMES["start"], *TIMES["end"]))
OUR_KEYS = frozenset((*NAMES, "rubric", "experts", "median", "released", "ratings"))
NUMBERS = ("score", *chain(*TIMES.values()), "age")
REQUIRED = ("audio", "text")
OTHER_NAMES = {name: key for key, names in NAMES.items() for name in names[1:]}


def named(raw: dict[str, Any]) -> dict[str, Any]:
    """With our names for the keys; a key of ours stands before those of others."""
    row = dict(raw)
    for key, names in NAMES.items():
        if key not in row:
            other = next((name for name in names[1:] if raw.get(name) is not None), None)
            if other is not None:
                row[key] = row.pop(other)
    return row
