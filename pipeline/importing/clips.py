"""Audio that is not a file of its own, or of a kind that browsers cannot play, becomes one."""

import math
import shutil
from pathlib import Path, PurePosixPath

from pipeline import artifacts
from pipeline.corpus.readers.items import Clip
from pipeline.corpus.sets import confined
from pipeline.errors import CorpusError, said_by
from pipeline.i18n import N_


def check_target(root: Path, relative: str) -> None:
    """Raises CorpusError where a clip must not be written: outside `root`, through a link, or at a second spelling of
    a path. Names in tables become such paths, so they are not to be trusted."""
    plain = PurePosixPath(relative)
    if ".." in plain.parts or str(plain) != relative:
        raise CorpusError(
            N_("{path!r} cannot name a recording: no part of it may be empty, '.' or '..'"), path=relative
        )
    if confined(root, relative).is_symlink():
        raise CorpusError(
            N_("{path!r} is a link below {root}; audio is not written through links"), path=relative, root=str(root)
        )


def write_clip(clip: Clip, target: Path) -> None:
    """Write it once: a file that is there stays, so that an import that was stopped goes on, unless a table has other
    bytes for it now. Raises CorpusError for audio that cannot be read, or a piece that is not within it."""
    if clip.content is not None:
        if not _holds(target, clip.content):
            artifacts.write_bytes(target, clip.content)
        return
    if target.is_file():
        return
    if clip.file is None:
        raise CorpusError(N_("there is no audio"))
    if not math.isfinite(clip.start_s) or not math.isfinite(clip.end_s or 0.0):
        raise CorpusError(N_("the piece's begin and end must be numbers of seconds"))
    if clip.file.exists() and not clip.file.is_file():  # a pipe would be waited for
        raise CorpusError(N_("{file} is no file"), file=clip.file.name)
    if clip.as_it_is:
        with artifacts.replacing(target) as temporary:
            shutil.copyfile(clip.file, temporary)
        return
    import soundfile

    try:
        with soundfile.SoundFile(clip.file) as file:
            rate_hz, is_fine = int(file.samplerate), str(file.subtype) in ("FLOAT", "DOUBLE", "PCM_24", "PCM_32")
            length_s = int(file.frames) / rate_hz
            clip.check_within(clip.file.name, length_s)
            start = min(round(clip.start_s * rate_hz), int(file.frames))
            file.seek(start)
            frames = -1 if clip.end_s is None else round(min(clip.end_s, length_s) * rate_hz) - start
            samples = file.read(frames, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise CorpusError(
            N_(
                "{file} cannot be read as audio ({reason}). SPHERE files that were compressed with shorten are opened "
                "by sph2pipe"
            ),
            file=clip.file.name, reason=said_by(error),
        ) from error  # fmt: skip
    with artifacts.replacing(target) as temporary:
        soundfile.write(temporary, samples, rate_hz, format="WAV", subtype="FLOAT" if is_fine else "PCM_16")


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.stat().st_size == len(content) and file.read_bytes() == content
