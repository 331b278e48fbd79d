"""Whose voice is in a sound, asked of an enrolled owner."""

from collections.abc import Callable
from functools import partial

from pipeline.settings import Settings
from pipeline.wakeword.owner.enrolment import OwnerMatch, compare, read_owner
from pipeline.wakeword.owner.projection import Vectors
from pipeline.wakeword.owner.voice import VoiceEncoder

OwnerVerify = Callable[[Vectors], OwnerMatch]
"""Of sound at 16 kHz."""


def owner_verifier(settings: Settings, name: str, threshold: float | None = None) -> OwnerVerify:
    """Compares with the voice of `name`, by the model's threshold where none is given. Raises CorpusError for one that
    is not enrolled, ModelError without the released model of voices."""
    encoder = VoiceEncoder(settings)
    owner = read_owner(settings, name, encoder.info.listener_sha256)
    limit = encoder.info.threshold if threshold is None else threshold
    return partial(compare, owner, voice=encoder.voice_of, threshold=limit)
