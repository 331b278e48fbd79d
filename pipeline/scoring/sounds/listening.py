"""A recording as a model of sounds hears it, through the speech encoder that it was trained on."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.artifacts import stamp_of
from pipeline.audio.load import Audio, load_audio
from pipeline.audio.speech import MARGINS, Cut, cut_to, find_speech
from pipeline.records import RubricName
from pipeline.scoring.sounds.alignment import Integers, forced
from pipeline.scoring.sounds.measures import Frames
from pipeline.scoring.sounds.model_files import INFO_FILE, SoundModel, find_sounds_model, load
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import FOLDER, SpeechInfo, is_speech_folder, load_info
from pipeline.scoring.speech.model_files import INFO_FILE as SPEECH_INFO
from pipeline.scoring.speech.placing import levelled
from pipeline.settings import Settings

Reference = tuple[Frames, Integers]  # a recording, and the frames of each of its sounds
SHORTEST = 1600  # samples, .1 s: the least that the encoder takes
QUIETEST_DB, LOUDEST_DB = -32.0, -15.0  # what the encoder hears well: nine in ten recordings that it learned from


class SoundListener:
    """A model of sounds with its encoder."""

    def __init__(self, model: SoundModel, runtime: ListenerRuntime) -> None:
        self.model, self._runtime = model, runtime

    @property
    def frames_per_s(self) -> float:
        return self._runtime.info.frames_per_s

    def hear(self, audio: Audio) -> tuple[Frames, Cut] | None:
        """The speech of a recording, and what was cut off around it; None where it is too short to hear anything."""
        cut = cut_to(audio, find_speech(audio, RubricName.WORD), MARGINS[RubricName.WORD])
        if len(cut.audio.samples) < SHORTEST:
            return None
        states = states_of(self._runtime, cut.audio.samples, self.model.info.layer)
        return self.model.frames(states), cut

    def reference(self, path: Path, sounds: tuple[str, ...]) -> Reference | None:
        """A reference recording with the frames of each of its sounds; None where they are not in it. Raises
        AudioError."""
        return self._reference(path, stamp_of(path), sounds)

    @lru_cache(maxsize=256)  # noqa: B019 - listeners are few, and live as long as the process
    def _reference(self, path: Path, _stamp: str, sounds: tuple[str, ...]) -> Reference | None:
        heard, classes = self.hear(load_audio(path)), self.model.classes(sounds)
        if heard is None or classes is None:
            return None
        spans = forced(heard[0].log_probs, classes.tolist())
        return None if spans is None else (heard[0], spans)


def sound_listener(settings: Settings, language: str) -> SoundListener | None:
    """Of a language; None without a model of its sounds, or without the encoder it was trained on. Raises ModelError
    for files that cannot be read."""
    folder = find_sounds_model(settings, language)
    if folder is None:
        return None
    model = _model(folder, stamp_of(folder / INFO_FILE))
    encoder = encoder_of(settings, model.info.listener)
    return None if encoder is None else _listener(model, encoder, stamp_of(encoder / SPEECH_INFO))


def states_of(runtime: ListenerRuntime, samples: NDArray[np.float32], layer: int) -> NDArray[np.float32]:
    """What a layer of the encoder makes of a recording at 16 kHz [T, D], brought to the usual level: in training as in
    use."""
    return np.asarray(runtime.listen(levelled(samples, QUIETEST_DB, LOUDEST_DB)).layers[layer], dtype=np.float32)


def listener_name(info: SpeechInfo) -> str:
    """Of the encoder: models whose heads alone differ share one."""
    return info.listener or info.model_id


def encoder_of(settings: Settings, name: str) -> Path | None:
    """The folder of the speech model with that encoder."""
    for root in (settings.released_models, settings.deployed_root):
        folder = root / FOLDER
        if is_speech_folder(folder) and _listener_in(folder, stamp_of(folder / SPEECH_INFO)) == name:
            return folder
    return None


@lru_cache(maxsize=4)
def _listener_in(folder: Path, _stamp: str) -> str:
    return listener_name(load_info(folder))


@lru_cache(maxsize=4)
def _model(folder: Path, _stamp: str) -> SoundModel:
    return load(folder)


@lru_cache(maxsize=4)
def _listener(model: SoundModel, encoder: Path, _stamp: str) -> SoundListener:
    return SoundListener(model, ListenerRuntime(encoder))
