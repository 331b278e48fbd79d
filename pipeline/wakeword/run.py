"""One wake-word run from its configuration to a model folder: find clips, render them, train, calibrate, package."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from pipeline import artifacts
from pipeline.audio.load import AUDIO_SUFFIXES, stray_links
from pipeline.errors import AudioError, CorpusError, FeatureError, ModelError, TrainingError
from pipeline.i18n import N_, Message, about
from pipeline.jobs.device_queue import device_turn
from pipeline.metrics.detection import calibration_error, fit_temperature, reliability
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.runs import RunDirectory, RunWriter
from pipeline.runs.messages import DONE, how_far
from pipeline.settings import Settings
from pipeline.text import one_line
from pipeline.wakeword.config import FEWEST, DataConfig, WakewordConfig
from pipeline.wakeword.data.augment import PLAIN_SNR_DB, plain
from pipeline.wakeword.data.clips import Clip, ClipScan, Label, scan_folders, source_regex
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
from pipeline.wakeword.data.splits import (
    AssignedClip,
    folded,
    hold_out,
    read_manifest,
    sources_known_in,
    write_manifest,
)
from pipeline.wakeword.data.spoken_word import same_letters, spoken_words, word_of
from pipeline.wakeword.features import Cmvn, are_same, check_embedding
from pipeline.wakeword.file_names import MODEL_FOLDER, REPORT, SPLIT_FOLDER
from pipeline.wakeword.models.budget import Budget, check_budget
from pipeline.wakeword.planned_steps import steps_in_words
from pipeline.wakeword.threshold import ThresholdBasis, from_validation

if TYPE_CHECKING:
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.runtime.model_files import WordInfo
    from pipeline.wakeword.training.distillation import SoftTargets
    from pipeline.wakeword.training.train import Trainer
    from pipeline.wakeword.training.validate import Validation

MOST_NAMED = 20  # unusable clips, in the log
WINDOWS_KEPT = 64  # of each class, with the model
TOO_FEW = {
    Label.POSITIVE: N_(
        "{where}{n} clips of the word can be used and {n_bad} clips cannot; at least {fewest} are needed. *Check "
        "clips* and `pronlab wakeword scan` say what is wrong with them."
    ),
    Label.NEGATIVE: N_(
        "{where}{n} clips of other speech can be used and {n_bad} clips cannot; at least {fewest} are needed. *Check "
        "clips* and `pronlab wakeword scan` say what is wrong with them."
    ),
}
PURPOSES = {"train": "train on", "validation": "validate on"}


def train_wakeword(
    settings: Settings, config: WakewordConfig, directory: RunDirectory, show: Progress | None = None
) -> dict[str, Any]:
    """Raises CorpusError, TrainingError, FeatureError or AudioError in words; a run that was stopped raises
    TrainingError."""
    report: dict[str, Any] | None = None
    with directory.start() as writer, device_turn(settings, writer):
        report = _train(settings, config, writer, show)
        writer.update(progress=1.0, message=DONE, result={"metrics": report["validation"]})
    if report is None:
        raise TrainingError(
            N_("The run {run} was stopped. `pronlab wakeword train --resume {run}` resumes it."), run=directory.id
        )
    return report


@dataclass(frozen=True)
class SelectedClips:
    """Clips by what they are for, their paths relative to `root`; `bad` ones are left out, and the files `left_out`
    of the scan."""

    root: Path
    train: list[Clip]
    held: list[Clip]
    bad: tuple[Clip, ...]
    sources_known: bool
    left_out: tuple[str, ...] = ()


def recipes(config: WakewordConfig) -> tuple[Recipe, Recipe]:
    """How training clips are rendered, and validation clips: those with noise at one ratio and nothing else."""
    varied = config.augment if config.augment.enabled else plain(config.augment, None)
    common = {"noise": config.data.noise, "seed": config.seed, "cache_mb": config.data.cache_mb}
    return (
        Recipe(config.features, varied, rir=config.data.rir if varied.room_chance else (), **common),  # type: ignore[arg-type]
        Recipe(config.features, plain(config.augment, PLAIN_SNR_DB), **common),  # type: ignore[arg-type]
    )


def find_clips(config: WakewordConfig, progress: Progress | None = None) -> SelectedClips:
    """Where the clips are, those to train on and those to validate on. Raises CorpusError where no detector can be
    learnt from them."""
    data = config.data
    if data.split:
        root, placed = _split_clips(data)
        selected = {
            part: [placement.clip for placement in placed if placement.part == part] for part in ("train", "validation")
        }
        for part, clips in selected.items():
            _check_enough(clips, (), f"{data.split}, to {PURPOSES[part]}: ", FEWEST if part == "train" else 2)
        return SelectedClips(root, selected["train"], selected["validation"], (), sources_known_in(Path(data.split)))
    check_given(data)
    folders = {label: [Path(f) for f in getattr(data, label.value)] for label in Label}
    scan = scan_folders(folders, source_pattern=data.source or None, progress=progress)
    _check_each([folder for given in folders.values() for folder in given], scan)
    usable = _with_words(scan, data)
    _check_enough(usable, scan.bad)
    if data.max_positives:
        kept: set[str] = set()
        for name in data.names or ("",):
            words = [clip for clip in usable if clip.label is Label.POSITIVE and clip.word == name]
            chosen = np.random.default_rng([config.seed, 7]).permutation(len(words))[: data.max_positives]
            kept |= {words[i].path for i in chosen}
        usable = [clip for clip in usable if clip.label is not Label.POSITIVE or clip.path in kept]
    parts = hold_out(usable, data.validation, config.seed)
    return SelectedClips(scan.root, *parts, scan.bad, scan.sources_known, scan.left_out)


def _split_clips(data: DataConfig) -> tuple[Path, list[AssignedClip]]:
    root, placed = read_manifest(Path(data.split))
    return root, folded(placed, data.fold, data.split) if data.fold >= 0 else placed


def check_ready(settings: Settings, config: WakewordConfig) -> None:
    """What can be known without reading a clip, asked before a run is made, so that none begins that must fail. Raises
    CorpusError, FeatureError, ModelError or TrainingError."""
    check_given(config.data)
    _checked_budget(config)
    teacher = config.distil.teacher
    if teacher and not _is_encoder(Path(teacher)):
        _check_teacher(settings, teacher)


def _checked_budget(config: WakewordConfig) -> Budget:
    check_embedding(config.features)
    return check_budget(config.model, config.features, config.detector.hop_s, max(1, len(config.data.names)))


def _counts_of_words(clips: SelectedClips) -> dict[str, int]:
    """Clips of the word, and how many of them synthesisers spoke."""
    words = [clip for clip in (*clips.train, *clips.held) if clip.label is Label.POSITIVE]
    return {"n_words": len(words), "n_synthetic_words": sum(clip.synthetic for clip in words)}


def check_given(data: DataConfig) -> None:
    """Raises CorpusError where there is no folder of the word, or none of other speech (what `pronlab wakeword speak`
    wrote brings its own, and a split all), where a split cannot be read, or the pattern of the speakers is none."""
    if data.split:
        _split_clips(data)
        return
    source_regex(data.source or None)
    if not data.positive:
        raise CorpusError(
            N_("No clips of the word are given. Add or speak some under 1 Data, or name a folder with {option}."),
            option="--positive",
        )
    if not data.negative and not any((Path(folder) / Label.NEGATIVE).is_dir() for folder in data.positive):
        raise CorpusError(
            N_(
                "No other speech is given: a detector learns the word and what is not the word. Add some under 1 Data, "
                "choose a recording set under 2 Configuration, or name a folder with {option}."
            ),
            option="--negative",
        )


def _check_each(folders: Sequence[Path], scan: ClipScan) -> None:
    """Raises CorpusError for a folder that was named and brings nothing, which the others would hide."""
    paths = [(scan.root / clip.path).resolve() for clip in scan.clips]
    for folder in folders:
        if not any(path.is_relative_to(folder.resolve()) for path in paths):
            raise CorpusError(
                N_(
                    "There is no audio ({endings}) in {folder}, or only links that lead out of it. Name the folder "
                    "that holds the files."
                ),
                endings=", ".join(AUDIO_SUFFIXES), folder=str(folder),
            )  # fmt: skip


def _with_words(scan: ClipScan, data: DataConfig) -> list[Clip]:
    """The usable clips; of several words, each positive one with its word, in the order of the words. Raises
    CorpusError for a word with too few clips."""
    if not data.words:
        return list(scan.usable)
    named: list[Clip] = []
    for name in data.names:
        folders = [Path(f).absolute() for f, word in zip(data.positive, data.words, strict=True) if word == name]
        clips = [
            replace(clip, word=name)
            for clip in scan.usable
            if clip.label is Label.POSITIVE and any((scan.root / clip.path).is_relative_to(f) for f in folders)
        ]
        if len(clips) < FEWEST:
            raise CorpusError(
                N_("{n} clips of {word!r} can be used; at least {fewest} are needed."),
                n=len(clips), word=name, fewest=FEWEST,
            )  # fmt: skip
        named += clips
    of_words: dict[str, str] = {}
    for clip in named:
        if (other := of_words.setdefault(clip.digest, clip.word)) != clip.word:
            raise CorpusError(
                N_("{path} is given as a clip of {word!r} and of {other!r}: a clip is of one word."),
                path=clip.path, word=clip.word, other=other,
            )  # fmt: skip
    return named + [clip for clip in scan.usable if clip.label is not Label.POSITIVE]


def _check_enough(usable: Sequence[Clip], bad: Sequence[Clip], where: str = "", words: int = FEWEST) -> None:
    n_usable, n_bad = (Counter(clip.label for clip in clips) for clips in (usable, bad))
    for label, fewest in ((Label.POSITIVE, words), (Label.NEGATIVE, 2)):
        if n_usable[label] < fewest:
            raise CorpusError(TOO_FEW[label], where=where, n=n_usable[label], n_bad=n_bad[label], fewest=fewest)


def make_features(config: WakewordConfig, folder: Path, progress: Progress | None = None) -> SelectedClips:
    """Render the clips to train on into `folder`, for runs with `data.features` set to it. Raises CorpusError."""
    check_embedding(config.features)
    clips = find_clips(config, progress)
    make_pools(folder, clips.root, clips.train, recipes(config)[0], progress)
    return clips


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

    progress = _told(writer, show)
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


def _train(settings: Settings, config: WakewordConfig, writer: RunWriter, show: Progress | None) -> dict[str, Any]:
    from pipeline.wakeword.packaging.card import write_card
    from pipeline.wakeword.packaging.export import save_windows
    from pipeline.wakeword.runtime.model_files import DetectorInfo, save_model
    from pipeline.wakeword.training.train import report_of

    writer.log(steps_in_words(config))
    budget = _checked_budget(config)
    material = make_trainer(settings, config, writer, show)
    trained = material.trainer.run()
    writer.update(progress=0.99, message=Message(N_("calibrating on the validation clips")))
    temperature, calibration = _calibrated(trained.validation)
    threshold, basis = _threshold(trained.validation, material.clips.held, config)
    words = tuple(
        _word(name, validation, material.clips.held, config)
        for name, validation in zip(config.data.names, trained.validations, strict=False)
    )
    report = {
        **report_of(trained), "averaged": config.train.ema, "parameters": budget.parameters, "macs": budget.macs,
        "calibration": calibration, "n_train": len(material.clips.train), "n_held": len(material.clips.held),
        "sources_known": material.clips.sources_known, **_counts_of_words(material.clips), "threshold": to_json(basis),
        "clips_left_out": [one_line(about(clip.path, clip.reasons[0])) for clip in material.clips.bad],
        "rooms_left_out": material.rooms_left_out, "files_left_out": material.clips.left_out,
        **({"words": {word.name: word.metrics for word in words}} if words else {}),
    }  # fmt: skip
    info = DetectorInfo(
        word_of(config), config.features, config.model, config.detector, threshold, temperature, budget.parameters,
        {"validation": report["validation"], "calibration": calibration, "threshold": report["threshold"]}, words,
    )  # fmt: skip
    folder = writer.run.path / MODEL_FOLDER
    save_model(folder, trained.model, info)
    draw = np.random.default_rng(config.seed)
    save_windows(folder, [pool.sample(WINDOWS_KEPT, draw) for pool in material.held_pools.values()])
    write_card(folder, info, report)
    if config.train.learn_phones:
        report |= {"phones": _learnt_phones(settings, config, material.clips, writer, show)}
    artifacts.write_json(writer.run.path / REPORT, report)
    return report


def _learnt_phones(
    settings: Settings, config: WakewordConfig, clips: SelectedClips, writer: RunWriter, show: Progress | None
) -> dict[str, Any] | None:
    """What the judge of phones has learnt the word from, if Pronlab spoke it in English: of synthetic clips alone most
    words are missed without the judge. None for any other word; where it cannot be learnt, the `problem`."""
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.training.word_learning import learn_word

    positives = [clip for clip in [*clips.train, *clips.held] if clip.label is Label.POSITIVE]
    spoken = spoken_words(clips.root, positives)
    word = spoken[0][0] if spoken else ""
    # One word, though it may be spoken in several kinds of English: clips of another would be learnt as this one.
    is_one = all(language.startswith("en") and same_letters(said, word) for said, language in spoken)
    if not word or not is_one or config.data.names or config.model.target == "esp32_s3":
        return None
    run = FinishedRun(writer.run.path, writer.run.path / MODEL_FOLDER)
    try:
        learnt = learn_word(settings, run, word, _told(writer, show))
    except (AudioError, CorpusError, ModelError) as error:  # the detector is trained, and of use without a judge
        writer.log(f"{word!r} has not been learnt for the judge of phones: {error}")
        return {"word": word, "problem": str(error)}
    return {"word": learnt.word, **to_json(learnt.learnt_from)}


def _told(writer: RunWriter, show: Progress | None) -> Progress:
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
        model, info = load_model(_check_teacher(settings, name).folder)
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


def _check_teacher(settings: Settings, name: str) -> "FinishedRun":
    from pipeline.wakeword.finished_run import open_finished_run

    run = open_finished_run(settings, name)
    if run.info.words:
        raise TrainingError(
            N_("The teacher {name} knows several words ({words}): name one of one word."),
            name=name,
            words=", ".join(run.info.names),
        )
    return run


def _word(name: str, validation: "Validation", held: Sequence[Clip], config: WakewordConfig) -> "WordInfo":
    """One of several words, with a threshold of its own."""
    from pipeline.wakeword.runtime.model_files import WordInfo
    from pipeline.wakeword.training.train import figures_of

    temperature, calibration = _calibrated(validation)
    threshold, basis = _threshold(validation, held, config)
    metrics = {"validation": figures_of(validation), "calibration": calibration, "threshold": to_json(basis)}
    return WordInfo(name, threshold, temperature, metrics)


def _calibrated(validation: "Validation") -> tuple[float, dict[str, Any]]:
    logits = np.concatenate([validation.words, validation.rest]).astype(np.float64)
    truth = np.arange(len(logits)) < len(validation.words)
    temperature = fit_temperature(logits, truth)
    before, after = (reliability(expit(logits / t), truth) for t in (1.0, temperature))
    return temperature, {
        "temperature": temperature, "ece_before": calibration_error(before), "ece_after": calibration_error(after),
        "before": before, "after": after,
    }  # fmt: skip


def _threshold(validation: "Validation", held: Sequence[Clip], config: WakewordConfig) -> tuple[float, ThresholdBasis]:
    """Of the validation negatives; an export and `pronlab wakeword evaluate` set a better one on a long stream."""
    hours = sum(clip.duration_s for clip in held if clip.label is Label.NEGATIVE) / 3600.0
    return from_validation(validation.words, validation.rest, hours, config.detector.target_fah)
