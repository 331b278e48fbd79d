"""Where the audio of a corpus lies: names in tables to files under the corpus's root, and nowhere else."""

import os
import stat
from collections import defaultdict
from pathlib import Path, PurePosixPath
from posixpath import basename, dirname, splitext

from pipeline.audio.load import AUDIO_SUFFIXES
from pipeline.corpus.sets import confined, spelled
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_
from pipeline.text import composed


class AudioPlaces:
    """Finds audio under `root`. Folders are followed and judged once, so that a table of a million lines costs one look
    at each file. With `search`, a name that is not where the table says is looked for by its file name, or without its
    ending, in all folders below, as tables often name files alone."""

    def __init__(self, root: Path, *, search: bool = False) -> None:
        self.root = root
        self._prefix = f"{root}{os.sep}"
        self._resolved = root.resolve()
        self._search = search
        self._sound: set[str] = set()
        self._names: dict[str, list[str]] | None = None

    def relative(self, given: str) -> str:
        """The path relative to the root, as the file system spells it; as given where there is no such file. Raises
        CorpusError for a path that leads out of the root."""
        asked = self._below(given)
        full = self._prefix + asked
        leads_nowhere_else = True  # as a link could
        try:
            leads_nowhere_else = stat.S_ISREG(os.lstat(full).st_mode)
        except OSError:
            there = self._elsewhere(asked)
            leads_nowhere_else, asked = there == asked, there
        except ValueError as error:  # a NUL in the name
            raise CorpusError(N_("{path!r} cannot be a path ({reason})"), path=given, reason=said_by(error)) from error
        folder = dirname(asked)
        if leads_nowhere_else and folder in self._sound:
            return asked
        path = confined(self.root, asked)
        if not path.is_symlink():
            self._sound.add(folder)
        return asked

    def _below(self, given: str) -> str:
        if not given:
            raise CorpusError(N_("the path of the audio is empty"))
        parts = given.split("/")
        if ".." in parts:
            raise CorpusError(N_("'audio' points outside {root}: {path!r}"), root=str(self.root), path=given)
        if given.startswith("/"):
            path = PurePosixPath(given)
            for base in (self.root, self._resolved):
                if path.is_relative_to(base):
                    return str(path.relative_to(base))
            raise CorpusError(
                N_(
                    "'audio' points outside {root}: {path!r}. Only files below that folder are read; name the folder "
                    "that holds the audio with --audio-root"
                ),
                root=str(self.root),
                path=given,
            )
        if "\\" in given and not os.path.lexists(self._prefix + given):  # written on Windows
            return given.replace("\\", "/")
        return given if "." not in parts and "" not in parts else str(PurePosixPath(given))

    def _elsewhere(self, asked: str) -> str:
        there = spelled(self.root, asked)
        if there != asked or not self._search:
            return there
        if self._names is None:
            self._names = defaultdict(list)
            for path in audio_below(self.root):
                self._names[_name(path)].append(path)
                self._names[_name(splitext(path)[0])].append(path)
        found = self._names.get(_name(asked), [])
        if len(found) > 1:
            raise CorpusError(
                N_("{path!r} can be any of {found}. Give the path with its folder"),
                path=asked, found=", ".join(found[:3]),
            )  # fmt: skip
        return found[0] if found else asked


def audio_below(root: Path) -> list[str]:
    """Paths relative to `root` of the audio files below it, in order; links are not followed."""
    return files_below(root, AUDIO_SUFFIXES)


def files_below(root: Path, suffixes: tuple[str, ...]) -> list[str]:
    """Paths relative to `root` of the files with these endings in any case, in order."""
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = os.path.relpath(folder, root)
        prefix = "" if below == "." else f"{below}/"
        found += [prefix + name for name in sorted(names) if name.lower().endswith(suffixes) and name[0] != "."]
    return found


def _name(path: str) -> str:
    return composed(basename(path)).casefold()
