"""Folders on the command line, of one word or of several."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli._output import counted, say
from pipeline.text import one_line


class AudioFolder(click.Path):
    """A folder of recordings, or one of them. What links in it lead to outside of it is not read, which is said."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from pipeline.audio.load import stray_links

        path = Path(str(super().convert(value, param, ctx)))
        if links := stray_links(path):
            say(
                f"{path}: {counted(len(links), 'link')} that lead out of it, or nowhere, are left out, e.g. "
                f"{one_line(str(links[0].relative_to(path)))}.",
                err=True,
            )
        return path


class WordFolder(AudioFolder):
    """A folder of clips of the word, or NAME=FOLDER of one of several words."""

    name = "[NAME=]FOLDER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        word, mark, path = str(value).partition("=")
        if mark and word.strip() and not Path(str(value)).exists():
            return word.strip(), super().convert(path, param, ctx)
        return "", super().convert(value, param, ctx)


def folders_by_word(given: tuple[tuple[str, Path], ...]) -> dict[str, list[Path]]:
    """Under "" the folders of the one word. Raises UsageError where only some of them are named."""
    by_word: dict[str, list[Path]] = {}
    for word, path in given:
        by_word.setdefault(word, []).append(path)
    if "" in by_word and len(by_word) > 1:
        raise click.UsageError("Name the word of every --positive (--positive NAME=FOLDER), or of none.")
    return by_word


plain_folder = click.Path(path_type=Path, exists=True, file_okay=False)  # of other things than recordings
folder = AudioFolder(path_type=Path, exists=True)
clips_folder = AudioFolder(path_type=Path, exists=True, file_okay=False)
word_folder = WordFolder(path_type=Path, exists=True)
