"""Owners of an installation: the voice of each as a vector, from a few takes, and takes compared with it.

<data root>/owners/NAME.json    the vector and what it was made from; no sound is kept
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import artifacts
from pipeline.audio.load import audio_files, load_audio
from pipeline.errors import AudioError, CorpusError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.settings import Settings
from pipeline.times import now_iso
from pipeline.wakeword.data.takes import problems_of_take
from pipeline.wakeword.file_names import LONGEST_NAME, named_file
from pipeline.wakeword.owner.projection import Vectors, enrolled_voice, likeness
from pipeline.wakeword.owner.same_word import compare_takes

WANTED = 5
# A take whose mean cosine with the others is below may be of another voice: one in twenty groups of five or ten takes
# of one speaker has such a take (32 speakers of speechocean762, part dev; how well it tells others: the model's card).
ANOTHER_VOICE = 0.20
Voice = Callable[[Vectors], Vectors]
"""Sound at 16 kHz to a vector of length one."""
Hear = Callable[[Vectors], Vectors]
"""Sound at 16 kHz to states [T, W] that tell words apart."""


@dataclass(frozen=True)
class Take:
    """A recording as a file has it; `name` tells people which it is."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Owner:
    """`model` is the SHA-256 of the listener that heard the takes; `agreement` the mean cosine of any two of them."""

    name: str
    voice: tuple[float, ...]
    n_takes: int
    agreement: float
    model: str
    enrolled_at: str


@dataclass(frozen=True)
class OwnerMatch:
    """`similarity` is a cosine; from the threshold on it is the owner."""

    name: str
    similarity: float
    is_owner: bool


@dataclass(frozen=True)
class Enrolment:
    """Who was enrolled, and the names of takes that may say another word than most, or be of another person."""

    owner: Owner
    odd_takes: tuple[str, ...]
    other_voices: tuple[str, ...]


def takes_in(paths: Sequence[Path]) -> list[Take]:
    """The audio of files and folders; of several files of one name, called with their folder's."""
    files = [path for given in paths for path in audio_files(given)]
    counts = Counter(path.name for path in set(files))
    names = (path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}" for path in files)
    return [Take(name, path.read_bytes()) for name, path in zip(names, files, strict=True)]


def enrol(settings: Settings, name: str, takes: Sequence[Take], voice: Voice, hear: Hear, model: str) -> Enrolment:
    """Keep the voice of `name`, in place of one that was there. Raises CorpusError for a name that cannot be one, for
    fewer than five takes and for takes of different words, AudioError naming every take that is not good enough or
    that is there twice."""
    file = _file(settings, name)
    n = len(takes)
    if n < WANTED:
        raise CorpusError(
            N_("Enrolling {name!r} needs at least {wanted} takes of the same word, got {n}. Record more, and name them "
               "all."),
            name=name, wanted=WANTED, n=n,
        )  # fmt: skip
    refused = [
        Message("{take}: {problem}", take=take.name, problem=problems[0])
        for take in takes if (problems := _problems(take))
    ]  # fmt: skip
    if refused:
        raise AudioError(
            N_("{refused} of {n} takes cannot be used: {problems}"),
            refused=len(refused), n=n, problems=joined(refused),
        )  # fmt: skip
    sounds = [load_audio(take.content).samples for take in takes]
    if repeated := _repeated(takes, sounds):
        raise AudioError(
            N_("The same recording was given more than once: {repeated}. Say the word anew for each take."),
            repeated=", ".join(repeated),
        )
    comparison = compare_takes([hear(samples) for samples in sounds])
    if comparison.other_words:
        raise CorpusError(
            N_("No two of the {n} takes sound like the same word, so nothing was enrolled. Say the wake word in every "
               "take, and nothing else."),
            n=n,
        )  # fmt: skip
    vectors = np.stack([voice(samples) for samples in sounds])
    alike = likeness(vectors)
    owner = Owner(file.stem, tuple(map(float, enrolled_voice(vectors))), n, float(alike.mean()), model, now_iso())
    artifacts.write_json(file, owner)
    return Enrolment(
        owner,
        tuple(takes[place].name for place in comparison.odd),
        tuple(take.name for take, mean in zip(takes, alike, strict=True) if mean < ANOTHER_VOICE),
    )


def _problems(take: Take) -> list[str]:
    """Why a take cannot be used, also one that cannot be read."""
    try:
        return problems_of_take(take.content)
    except AudioError as error:
        return [error.text]


def _repeated(takes: Sequence[Take], sounds: Sequence[Vectors]) -> list[str]:
    """Takes whose sound, sample by sample, came before: they say nothing of how a voice varies."""
    before: set[bytes] = set()
    names = []
    for take, sound in zip(takes, sounds, strict=True):
        if (content := sound.tobytes()) in before:
            names.append(take.name)
        before.add(content)
    return names


def read_owner(settings: Settings, name: str, model: str) -> Owner:
    """Raises CorpusError for one that is not enrolled, or was with another model."""
    file = _file(settings, name)
    if not file.is_file():
        raise CorpusError(
            N_("{name!r} is not enrolled; enrolled here: {known}. `pronlab wakeword enrol` does it."),
            name=name, known=", ".join(owners(settings)) or Message(N_("nobody yet")),
        )  # fmt: skip
    try:
        raw = artifacts.read_json(file)
        owner = Owner(**{**raw, "voice": tuple(map(float, raw["voice"]))})
        if not abs(float(np.linalg.norm(owner.voice)) - 1.0) < 0.01 or len(owner.voice) < 2:
            raise ValueError(
                Message(N_("its voice is {n} numbers that are no vector of length one"), n=len(owner.voice))
            )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CorpusError(
            N_("{file} cannot be read ({reason}). Enrol {name!r} again."),
            file=str(file), reason=said_by(error), name=name,
        ) from error  # fmt: skip
    if owner.model != model:
        raise CorpusError(
            N_("{name!r} was enrolled with another model of voices. Enrol again with `pronlab wakeword enrol`."),
            name=name,
        )  # fmt: skip
    return owner


def forget_owner(settings: Settings, name: str) -> None:
    """Delete a voice for good. Raises CorpusError for one that is not enrolled."""
    file = _file(settings, name)
    if not file.is_file():
        raise CorpusError(N_("{name!r} is not enrolled."), name=name)
    file.unlink()


def owners(settings: Settings) -> list[str]:
    folder = settings.data_root / "owners"
    return sorted(path.stem for path in folder.glob("*.json"))


def compare(owner: Owner, sound: Vectors, voice: Voice, threshold: float) -> OwnerMatch:
    similarity = float(np.array(owner.voice) @ voice(sound))
    return OwnerMatch(owner.name, similarity, similarity >= threshold)


def _file(settings: Settings, name: str) -> Path:
    written = named_file(name, owners(settings))
    if written is None:
        raise CorpusError(
            N_("{name!r} cannot be the name of an owner: letters, digits, blanks, - and _, at most {longest}."),
            name=name, longest=LONGEST_NAME,
        )  # fmt: skip
    return settings.data_root / "owners" / f"{written}.json"
