"""Audio that is not a file of its own, or of a kind that browsers cannot play, becomes one."""

from pathlib import Path

from pipeline import artifacts
from pipeline.corpus.readers.items import Clip
from pipeline.errors import CorpusError


def write_clip(clip: Clip, target: Path) -> None:
    """Write it once: a file that is there stays, so that an import that was stopped goes on. Raises CorpusError for
    audio that cannot be read, or a piece that lies beyond its end."""
    if target.is_file():
        return
    if clip.content is not None:
        artifacts.write_bytes(target, clip.content)
        return
    if clip.file is None:
        raise CorpusError("there is no audio")
    import soundfile

    try:
        with soundfile.SoundFile(clip.file) as file:
            rate_hz, is_fine = int(file.samplerate), str(file.subtype) in ("FLOAT", "DOUBLE", "PCM_24", "PCM_32")
            start = round(clip.start_s * rate_hz)
            if start >= int(file.frames):
                raise CorpusError(f"{clip.file.name} ends at {int(file.frames) / rate_hz:.2f} s, before the piece")
            file.seek(start)
            frames = -1 if clip.end_s is None else round(clip.end_s * rate_hz) - start
            samples = file.read(frames, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        reason = str(error).split(": ", 1)[-1].strip().rstrip(".")
        raise CorpusError(
            f"{clip.file.name} cannot be read as audio ({reason}). SPHERE files that were compressed with shorten are "
            f"opened by sph2pipe"
        ) from error
    with artifacts.replacing(target) as temporary:
        soundfile.write(temporary, samples, rate_hz, format="WAV", subtype="FLOAT" if is_fine else "PCM_16")
