"""Files that a person gives to a word's clips: each is kept, was there already, or is refused, and the others go on."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.errors import PronlabError
from pipeline.runs.failures import of_the_system
from pipeline.wakeword.data.clip_library import ClipLibrary, KnownClips


@dataclass
class UploadOutcome:
    """What became of each file by now: how many were saved, the names of those that were there already, with the part
    that has them, and in words why others were refused."""

    n_saved: int = 0
    known: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def add_uploads(clips: ClipLibrary, part: str, uploads: Iterable[tuple[str, bytes]], outcome: UploadOutcome) -> None:
    """Add files, given as names and contents, and note in `outcome` what became of each as it is done. A file that any
    part of the word has, under whatever name, is not saved again. Raises CorpusError for a part that there is not."""
    clips.folder(part)
    known = KnownClips(clips)
    for name, content in uploads:
        has_it = known.part_of(content)
        if has_it is not None:
            outcome.known.append((name, has_it))
            continue
        try:
            known.note(part, clips.add(part, name, content))
            outcome.n_saved += 1
        except PronlabError as error:
            outcome.refused.append(error.text)
        except OSError as error:
            outcome.refused.append(of_the_system(error))
