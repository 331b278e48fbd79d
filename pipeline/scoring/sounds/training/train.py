"""Train a model of sounds: on synthetic faults, or on what experts marked."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.audio.load import Audio
from pipeline.audio.speech import speech_only
from pipeline.corpus.sets import get_set
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message
from pipeline.parallel import Progress
from pipeline.records import RubricName
from pipeline.runs import RunWriter, now_iso
from pipeline.runs.messages import how_far
from pipeline.scoring.sounds.listening import listener_name, states_of
from pipeline.scoring.sounds.model_files import (
    CARD_FILE,
    SOFT_G,
    SoundModel,
    SoundsInfo,
    find_sounds_model,
    load,
    save,
)
from pipeline.scoring.sounds.training.card import card
from pipeline.scoring.sounds.training.evaluation import chosen_threshold, figures, probabilities
from pipeline.scoring.sounds.training.fit import fit_frames, fit_judge
from pipeline.scoring.sounds.training.marked import marked_samples
from pipeline.scoring.sounds.training.samples import Part, Sample, Trials, trials_of
from pipeline.scoring.sounds.training.spoken_words import SAID_AS
from pipeline.scoring.sounds.training.synthetic import SynthesisConfig, load_samples, save_samples, synthetic_samples
from pipeline.scoring.speech.listening.runtime import ListenerRuntime
from pipeline.scoring.speech.model_files import find_speech_model
from pipeline.settings import Settings

# Of the encoder: on the validation voices AUC .973, layer 4 .958; later ones know less of how a sound was said.
LAYER = 3


@dataclass(frozen=True)
class SoundsTrainConfig:
    """`set` is one whose sounds people marked; "" for synthetic speech made as `synthesis` says."""

    set: str = ""
    language: str = "tr"
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    layer: int = LAYER
    seed: int = 0


def train_sounds(
    settings: Settings,
    config: SoundsTrainConfig,
    out: Path,
    writer: RunWriter,
    git_commit: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit on some voices, choose the threshold on others, measure on the rest; write model and card into `out`.

    Args:
        progress: Told of each synthetic recording besides the run; there are 2,524, which takes minutes.

    Raises TrainingError where there is nothing to learn from, ModelError where there is no speech model.
    """
    folder = find_speech_model(settings)
    if folder is None:
        raise TrainingError(
            N_("There is no speech model, whose encoder hears the sounds: models/speech-en is missing.")
        )
    runtime = ListenerRuntime(folder)
    samples = (
        _marked(settings, config, runtime) if config.set else _synthetic(settings, config, runtime, writer, progress)
    )
    known = [sample for sample in samples if not sample.is_reference and sample.part is not Part.HELD_OUT]
    base = _base(settings, config, listener_name(runtime.info))
    info = replace(
        base.info if base is not None else _new_info(config, samples, listener_name(runtime.info)),
        synthetic=not config.set or get_set(settings, config.set).synthetic,
        trained_on=config.set or "eSpeak NG, Turkish words with known faults",
        n_words=len({sample.word for sample in known}),
        n_recordings=len(known),
        voices=tuple(sorted({sample.voice for sample in known})),
        seed=config.seed, created_at=now_iso(), git_commit=git_commit, held_out={}, threshold=1.0,
    )  # fmt: skip
    info = replace(info, model_id=f"sounds-{config.language}-{_digest(samples)}")
    fitted = [sample for sample in samples if sample.part is Part.FIT]
    frames = fit_frames(info, fitted, writer.log) if base is None else SoundModel(info, base.weights)
    by_part = {part: trials_of(frames, _with_references(samples, part)) for part in Part}
    writer.update(progress=0.95, message=Message(N_("learning what the distances mean")))
    model = fit_judge(frames, by_part[Part.FIT])
    validation = by_part[Part.VALIDATION]
    threshold = chosen_threshold(validation, probabilities(model, validation))
    held_out = _measured(model, by_part[Part.HELD_OUT], threshold, config.seed)
    info = replace(info, threshold=round(threshold, 6), held_out=held_out)
    save(out, SoundModel(info, model.weights))
    artifacts.write_text(out / CARD_FILE, card(info, _command(config, out)))
    return held_out


def _measured(model: SoundModel, trials: Trials, threshold: float, seed: int) -> dict[str, Any]:
    """On all held-out recordings, on those without noise, and on those with."""
    wrong = probabilities(model, trials)
    measured: dict[str, Any] = dict(figures(trials, wrong, threshold, seed))
    for name, chosen in (("clean_sound", ~trials.noisy), ("noise", trials.noisy)):
        if chosen.any() and not chosen.all():
            measured[name] = figures(trials.of(chosen), wrong[chosen], threshold, seed)
    return measured


def _with_references(samples: Sequence[Sample], part: Part) -> list[Sample]:
    return [sample for sample in samples if sample.is_reference or sample.part is part]


def _synthetic(
    settings: Settings,
    config: SoundsTrainConfig,
    runtime: ListenerRuntime,
    writer: RunWriter,
    progress: Progress | None,
) -> list[Sample]:
    """Made once, and kept: the next training with the same settings begins at once."""
    key = config.synthesis.key(listener_name(runtime.info), config.layer)
    path = settings.features_root / "sounds" / f"{key}.npz"
    if path.is_file():
        return load_samples(path)

    def encode(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return states_of(runtime, samples, config.layer)

    def told(done: int, total: int) -> None:
        writer.check_stop()
        if progress is not None:
            progress(done, total, "")
        if done % 50 == 0:
            writer.update(progress=0.9 * done / total, message=how_far(N_("recordings"), done, total))

    samples = synthetic_samples(config.synthesis, encode, told)
    save_samples(path, samples)
    return samples


def _marked(settings: Settings, config: SoundsTrainConfig, runtime: ListenerRuntime) -> list[Sample]:
    def encode(audio: Audio) -> NDArray[np.float32]:
        return states_of(runtime, speech_only(audio, RubricName.WORD).samples, config.layer)

    return marked_samples(settings, config.set, encode, config.seed)


def _base(settings: Settings, config: SoundsTrainConfig, listener: str) -> SoundModel | None:
    """For experts' marks: the released model, which knows which frames are which sound. None where sounds of another
    encoder or language are to be learned from the beginning."""
    folder = find_sounds_model(settings, config.language) if config.set else None
    model = None if folder is None else load(folder)
    fits = model is not None and model.info.listener == listener and model.info.layer == config.layer
    return model if fits else None


def _new_info(config: SoundsTrainConfig, samples: Sequence[Sample], listener: str) -> SoundsInfo:
    marked = sorted({sound for sample in samples for sound in sample.sounds} - {SOFT_G})
    sounds = tuple(marked) if config.set else tuple(SAID_AS)
    return SoundsInfo("", config.language, sounds, listener, config.layer, threshold=1.0)


def _digest(samples: Sequence[Sample]) -> str:
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(repr((sample.word, sample.voice, sample.wrong)).encode() + sample.states.tobytes())
    return digest.hexdigest()[:8]


def _command(config: SoundsTrainConfig, out: Path) -> str:
    options = {"--set": config.set, "--noise": config.synthesis.noise and "NOISE",
               "--room-responses": config.synthesis.room_responses and "ROOMS"}  # fmt: skip
    given = "".join(f" {name} {value}" for name, value in options.items() if value)
    seed = f" --seed {config.seed}" if config.seed else ""
    return f"pronlab train sounds{given}{seed} --out {out.parent.name}/{out.name}"
