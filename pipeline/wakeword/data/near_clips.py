"""Clips of what only sounds like the word, to measure a detector on, by the phrase that each says."""

from pathlib import Path

from pipeline.i18n import N_
from pipeline.text.signs import is_of_word
from pipeline.wakeword.data.clips import Label, files_in
from pipeline.wakeword.data.speaking import texts_in
from pipeline.wakeword.wake_words import BESIDES

LOOSE = N_("similar phrases")  # clips that lie in no folder of a phrase


def phrases_in(folder: Path) -> dict[str, list[Path]]:
    """The clips of each phrase near the word: of a folder that `speak` writes, or its `hard_negative`, by what they
    say; of any other, by the folder in it that they lie in, and `LOOSE` for those in none. Raises CorpusError where
    there are none."""
    spoken = folder.parent if folder.name == Label.HARD_NEGATIVE else folder
    texts = texts_in(spoken)
    root = spoken / Label.HARD_NEGATIVE if texts else folder
    phrases: dict[str, list[Path]] = {}
    for path in files_in(root):
        folders = path.relative_to(root).parts[:-1]
        of_folder = folders[0].replace("_", " ") if folders else LOOSE
        phrases.setdefault(texts.get(path.relative_to(spoken).as_posix(), of_folder), []).append(path)
    return dict(sorted(phrases.items()))


def folder_of(phrase: str) -> Path:
    """Where clips of a phrase lie among others, so that `phrases_in` finds it again: none for `LOOSE`. Texts come from
    elsewhere, and name no other place."""
    name = "".join(sign if is_of_word(sign) or sign in BESIDES else " " for sign in phrase)
    return Path() if phrase == LOOSE else Path(name.strip())
