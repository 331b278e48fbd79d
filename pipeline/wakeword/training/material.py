"""What a training works on, made before its first step: the clips rendered to windows, or what renders them, the
answers of a teacher, and the trainer over them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.audio.load import stray_links
from pipeline.errors import FeatureError, TrainingError
from pipeline.i18n import N_, about
from pipeline.parallel import Progress
from pipeline.runs import RunWriter
from pipeline.runs.messages import how_far
from pipeline.settings import Settings
from pipeline.text import one_line
from pipeline.wakeword.config import WakewordConfig
from pipeline.wakeword.data.augment import PLAIN_SNR_DB, plain
from pipeline.wakeword.data.clips import Clip, Label
from pipeline.wakeword.data.feature_cache import (
    Pool,
    Pools,
    WindowSource,
    hit_rate,
    make_pools,
    open_pools,
    place_of,
    read_index,
)
from pipeline.wakeword.data.rendering import LivePool, Recipe, synthetic_passes
from pipeline.wakeword.data.rooms import read_rooms
from pipeline.wakeword.data.selected_clips import SelectedClips, find_clips
from pipeline.wakeword.data.splits import AssignedClip, write_manifest
from pipeline.wakeword.features import Cmvn, are_same, check_embedding
from pipeline.wakeword.file_names import SPLIT_FOLDER

if TYPE_CHECKING:
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.training.distillation import SoftTargets
    from pipeline.wakeword.training.train import Trainer

MOST_NAMED = 20  # unusable clips, in the log


@dataclass(frozen=True)
class Prepared:
    """A trainer with its material."""

    trainer: "Trainer"
    clips: SelectedClips
    held_pools: Pools
    rooms_left_out: tuple[str, ...]


def make_trainer(
    settings: Settings, config: WakewordConfig, writer: RunWriter, show: Progress | None = None
) -> Prepared:
    """Find and render the clips, or open what was rendered before, and make the trainer."""
    from pipeline.wakeword.training.train import Trainer

    progress = told(writer, show)
    clips = find_clips(config, progress)
    mixed_in = [*config.data.noise, *config.data.rir]
    stray = tuple(str(link) for folder in mixed_in for link in stray_links(Path(folder)))
    clips = replace(clips, left_out=clips.left_out + stray)
    train, held = clips.train, clips.held
    writer.log(f"{len(train)} clips to train on, {len(held)} to validate on, {len(clips.bad)} that cannot be used")
    for clip in clips.bad[:MOST_NAMED]:
        writer.log(one_line(f"cannot be used: {about(clip.path, clip.reasons[0])}"))
    if clips.left_out:
        writer.log(
            f"{len(clips.left_out)} files are no audio, or links that lead out of their folders or nowhere, e.g. "
            f"{clips.left_out[0]}"
        )
    placed = [AssignedClip(clip, "train") for clip in train] + [AssignedClip(clip, "validation") for clip in held]
    write_manifest(writer.run.path / SPLIT_FOLDER, placed, clips.root, config.seed, sources_known=clips.sources_known)
    varied, still = recipes(config)
    rooms_left_out = read_rooms(varied.rir).left_out
    if rooms_left_out:
        writer.log(f"room impulse responses left out: {' '.join(rooms_left_out)}")
    home = settings.features_root / "wakeword"
    # Before the clips are rendered, which takes minutes.
    teacher, soft_targets = _teacher(settings, config, clips.root, train, varied, progress, writer)
    sources, cmvn = _sources(home, clips.root, train, varied, config, progress, writer)
    held_pools = make_pools(place_of(home, held, still), clips.root, held, still, progress, writer.check_stop)
    writer.update(data_hash=place_of(home, train, varied).name)
    trainer = Trainer(config, sources, held_pools, cmvn, settings.device, writer, teacher, soft_targets)
    return Prepared(trainer, clips, held_pools, rooms_left_out)


def make_features(config: WakewordConfig, folder: Path, progress: Progress | None = None) -> SelectedClips:
    """Render the clips to train on into `folder`, for runs with `data.features` set to it. Raises CorpusError."""
    check_embedding(config.features)
    clips = find_clips(config, progress)
    make_pools(folder, clips.root, clips.train, recipes(config)[0], progress)
    return clips


def recipes(config: WakewordConfig) -> tuple[Recipe, Recipe]:
    """How training clips are rendered, and validation clips: those with noise at one ratio and nothing else."""
    varied = config.augment if config.augment.enabled else plain(config.augment, None)
    common = {"noise": config.data.noise, "seed": config.seed, "cache_mb": config.data.cache_mb}
    return (
        Recipe(config.features, varied, rir=config.data.rir if varied.room_chance else (), **common),  # type: ignore[arg-type]
        Recipe(config.features, plain(config.augment, PLAIN_SNR_DB), **common),  # type: ignore[arg-type]
    )


def told(writer: RunWriter, show: Progress | None) -> Progress:
    """Progress of a part of the run, whose own share is shown beside its name, and which a stop ends."""

    def progress(done: int, total: int, message: str) -> None:
        writer.check_stop()
        if show is not None:
            show(done, total, message)
        if done == total or done % max(1, total // 50) == 0:
            writer.update(progress=done / max(1, total), message=how_far(message, done, total))

    return progress


def _sources(
    home: Path,
    root: Path,
    clips: Sequence[Clip],
    recipe: Recipe,
    config: WakewordConfig,
    progress: Progress,
    writer: RunWriter,
) -> tuple[dict[Label, WindowSource], Cmvn]:
    data = config.data
    pools: dict[Label, Pool] | None = None
    if data.features:
        try:
            pools = open_pools(Path(data.features), recipe, clips)
        except FeatureError as error:
            if not data.fallback_to_audio:
                raise
            writer.log(f"{error} Making them from the clips.")
    if pools is None and data.precompute:
        folder = place_of(home, clips, recipe)
        pools = make_pools(folder, root, clips, recipe, progress, writer.check_stop)
        used = read_index(folder)["cache"]
        writer.log(
            f"features in {folder.name}; of the sounds asked for while making them, {hit_rate(used):.1%} were at hand"
        )
    if pools is None:
        return _live(root, clips, recipe, config)
    cmvn = Cmvn.of([pool.values for pool in pools.values()]) if config.train.cmvn else Cmvn.none(config.features.n_bins)
    return dict(pools), cmvn


def _live(
    root: Path, clips: Sequence[Clip], recipe: Recipe, config: WakewordConfig
) -> tuple[dict[Label, WindowSource], Cmvn]:
    live = _live_pools(root, clips, recipe)
    if not config.train.cmvn:
        return dict(live), Cmvn.none(config.features.n_bins)
    draw = np.random.default_rng([config.seed, 3])
    seen = np.concatenate([source.sample(200, draw) for source in live.values()])
    return dict(live), Cmvn.of([seen.reshape(-1, seen.shape[2])])


def _live_pools(root: Path, clips: Sequence[Clip], recipe: Recipe, lead: int = 0) -> dict[Label, LivePool]:
    by_label = {label: [clip for clip in clips if clip.label is label] for label in Label}
    hard = by_label[Label.HARD_NEGATIVE] + (by_label[Label.POSITIVE] if recipe.augment.partials else [])
    of_class = {Label.POSITIVE: by_label[Label.POSITIVE], Label.NEGATIVE: by_label[Label.NEGATIVE]}
    of_class |= {Label.HARD_NEGATIVE: hard} if hard else {}
    context = [clip for clip in by_label[Label.NEGATIVE] if not clip.synthetic] or by_label[Label.NEGATIVE]
    passes = synthetic_passes(clips)
    return {
        label: LivePool(recipe, root, members, context, label, synthetic_passes=passes, lead=lead)
        for label, members in of_class.items()
    }


def _teacher(
    settings: Settings,
    config: WakewordConfig,
    root: Path,
    clips: Sequence[Clip],
    recipe: Recipe,
    progress: Progress,
    writer: RunWriter,
) -> tuple[Any, "SoftTargets | None"]:
    """The model of another run as a function, or soft targets where it hears other features or is an encoder. Raises
    TrainingError for a detector of several words, ModelError for what is no model."""
    name, wanted = config.distil.teacher, config.distil.windows
    if not name:
        return None, None
    from pipeline.wakeword.runtime.model_files import load_model
    from pipeline.wakeword.training.distillation import detector_soft_targets, encoder_soft_targets, lead_for

    if _is_encoder(Path(name)):
        live = _live_pools(root, clips, recipe)
        targets = encoder_soft_targets(
            Path(name), live, config.features, wanted, config.seed, progress, writer.check_stop
        )
    else:
        model, info = load_model(_run_of_teacher(settings, name).folder)
        writer.log(f"the teacher {name} is a detector of {info.name!r}")
        if are_same(info.features, config.features):
            return model.to(settings.device), None
        live = _live_pools(root, clips, recipe, lead_for(info.features, config.features.clip_s))
        targets = detector_soft_targets(model, info.features, live, wanted, config.seed, progress, writer.check_stop)
    writer.log(f"the teacher {Path(name).name} is right on {targets.right:.1%} of {len(targets.logits)} windows")
    return None, targets


def _is_encoder(folder: Path) -> bool:
    """Whether a teacher is a speech encoder, not a run."""
    return (folder / "config.json").is_file() and not (folder / "run.json").is_file()


def check_teacher(settings: Settings, name: str) -> None:
    """Raises ModelError or TrainingError where no training can learn from a teacher: a run that is not there or knows
    several words. An encoder is asked for its files when it is read."""
    if name and not _is_encoder(Path(name)):
        _run_of_teacher(settings, name)


def _run_of_teacher(settings: Settings, name: str) -> "FinishedRun":
    from pipeline.wakeword.finished_run import open_finished_run

    run = open_finished_run(settings, name)
    if run.info.words:
        raise TrainingError(
            N_("The teacher {name} knows several words ({words}): name one of one word."),
            name=name,
            words=", ".join(run.info.names),
        )
    return run
