"""How something is said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Manner:
    """`rate` times the voice's own, `pitch` semitones from it (the formants of Piper's voices move too), `liveliness`
    how much Piper varies (None: as the voice was made)."""

    rate: float = 1.0
    pitch: float = 0.0
    liveliness: float | None = None


AS_IT_IS = Manner()
