"""The released model of voices: the speech scorer's listener, and a projection of its states.

models/speaker-en/
    projection.safetensors    `mean` [n_in], `matrix` [n_in, n_out]
    speaker.json              which of the listener's states, which listener, threshold, figures
    README.md                 the card
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.audio.voice import find_word
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message
from pipeline.records import Seconds
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import FOLDER as LISTENER_FOLDER
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.settings import Settings
from pipeline.wakeword.features import RATE_HZ
from pipeline.wakeword.owner.projection import Projection, Vectors, statistics_of

FOLDER, WEIGHTS_FILE, INFO_FILE = "speaker-en", "projection.safetensors", "speaker.json"
FORMAT = 1
HEARD_S: Seconds = 1.5  # of speech: the window of a detector
WORD_STATE = 4  # of the listener's: tells words apart, whoever says them


@dataclass(frozen=True)
class VoiceInfo:
    """`states` of the listener whose file has this SHA-256; cosines from `threshold` on are of one speaker."""

    states: tuple[int, ...]
    listener_sha256: str
    threshold: float
    figures: dict[str, Any]


class VoiceEncoder:
    """Raises ModelError where the released models are not there or do not fit each other."""

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        folder = folder or settings.released_models / FOLDER
        listener = settings.released_models / LISTENER_FOLDER
        try:
            self.info = _info(artifacts.read_json(folder / INFO_FILE))
            weights = load_file(folder / WEIGHTS_FILE)
            self._projection = Projection(weights["mean"].astype(np.float32), weights["matrix"].astype(np.float32))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise ModelError(
                N_("{folder} holds no model of voices that can be read ({reason})."),
                folder=str(folder),
                reason=said_by(error),
            ) from error
        if artifacts.sha256_of(listener / LISTENER_FILE) != self.info.listener_sha256:
            raise ModelError(
                N_("The model of voices in {folder} was learnt for another listener than that in {listener}."),
                folder=str(folder),
                listener=str(listener),
            )
        self._listener = ListenerRuntime(listener)

    def voice_of(self, samples: Vectors) -> Vectors:
        """[n_out], of length one, of the speech in sound at 16 kHz."""
        start, end = find_word(samples)
        return self.of_speech(samples[start:end])

    def states_of(self, samples: Vectors) -> Vectors:
        """[T, W], 50 per second, of the word in sound at 16 kHz: what `same_word` compares."""
        start, end = find_word(samples)
        return np.asarray(self._listener.listen(samples[start:end]).layers[WORD_STATE], dtype=np.float32)

    def of_speech(self, speech: Vectors) -> Vectors:
        """As `voice_of`, of speech without pauses around it: its first `HEARD_S`, or as often as fills them. The
        encoder adds to its states where in time they are, so that their means are alike for sounds of one length only.
        """
        speech = np.resize(speech if len(speech) else np.zeros(1), round(HEARD_S * RATE_HZ))
        layers = self._listener.listen(speech.astype(np.float32)).layers
        return np.asarray(self._projection(statistics_of(layers, self.info.states)[None])[0], dtype=np.float32)


def _info(raw: dict[str, Any]) -> VoiceInfo:
    if raw.get("format") != FORMAT:
        raise ValueError(
            Message(N_("its format is {value!r}, expected {expected}"), value=raw.get("format"), expected=FORMAT)
        )
    return VoiceInfo(
        tuple(map(int, raw["states"])), str(raw["listener_sha256"]), float(raw["threshold"]), dict(raw["figures"])
    )
