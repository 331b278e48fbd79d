"""What may be done with a finished run: evaluate it, try its robustness, export it; reports lie in its directory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline import artifacts
from pipeline.errors import CorpusError, JobError, ModelError, said_by
from pipeline.i18n import N_, NN_, Message
from pipeline.jobs.launcher import find
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.settings import Settings
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.file_names import (
    EVALUATION,
    EXPORTS,
    FOLDER_SCORES,
    INFO,
    INT8,
    MODEL_FOLDER,
    ONNX,
    REPORT,
    ROBUSTNESS,
    SPLIT_FOLDER,
)
from pipeline.wakeword.runtime.detector import Classifier
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, read_info, save_info
from pipeline.wakeword.threshold import STREAM, from_stream

if TYPE_CHECKING:
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.evaluation.folder_scores import FolderScores
    from pipeline.wakeword.evaluation.stream_metrics import StreamResult
    from pipeline.wakeword.evaluation.stream_synthesis import StreamPlan
    from pipeline.wakeword.phone_judge import PhoneJudge

SHORTEST_STREAM_H = 0.1  # that a threshold is set on
NOISE_SHARE = 1.25  # the stream in hours of its speech: the rest is noise alone
MOST_CLIPS = 150  # of each side, for each condition of the robustness suite


@dataclass(frozen=True)
class FinishedRun:
    """`home` holds the reports: the run directory, or the model folder itself where it was copied alone."""

    home: Path
    folder: Path

    @property
    def info(self) -> DetectorInfo:
        return read_info(self.folder)

    def require_writable(self, report: str | None = None) -> None:
        """Asked before work whose results are kept with the run. Raises OSError that names what is in the way, and
        ModelError for a damaged report beside whose other words a `report` is kept."""
        for folder in (self.home, self.folder):
            artifacts.require_writable(folder)
        if report is not None and self.info.words:
            self.report(report)

    def report(self, name: str) -> Any:
        """What was measured, None where nothing was. Raises ModelError for a file that is damaged."""
        path = self.home / name
        try:
            return artifacts.read_json(path) if path.is_file() else None
        except (OSError, ValueError) as error:
            raise ModelError(
                N_("{file} cannot be read ({reason}). Delete it, and measure or train again."),
                file=str(path), reason=said_by(error),
            ) from error  # fmt: skip

    def report_of(self, name: str, word: str) -> Any:
        """As `report`; of a detector of several words what was measured of `word`."""
        report = self.report(name)
        if not self.info.words:
            return report
        words = report.get("words") if isinstance(report, dict) else None
        return words.get(word) if isinstance(words, dict) else None

    def keep_report(self, name: str, word: str, report: Any) -> None:
        """Of a detector of several words beside those of the others."""
        if self.info.words:
            before = self.report(name)
            words = before.get("words") if isinstance(before, dict) else None
            report = {"words": {**(words if isinstance(words, dict) else {}), word: report}}
        artifacts.write_json(self.home / name, report)


def open_finished_run(settings: Settings, run: str) -> FinishedRun:
    """By the id of a run, the path of its directory, or of a model folder. Raises ModelError where there is none."""
    path = Path(run)
    for home, folder in ((path, path / MODEL_FOLDER), (path, path)):
        if (folder / INFO).is_file():
            return FinishedRun(home, folder)
    try:
        directory = find(settings, run)
    except JobError as error:
        raise ModelError(
            N_("There is no detector {run!r}: no run of that id and no folder with a model. See `pronlab runs list`."),
            run=run,
        ) from error
    if not (directory.path / MODEL_FOLDER / INFO).is_file():
        raise ModelError(
            N_("{run} has no model yet; it is {status}."), run=directory.id, status=Message(directory.state.status)
        )
    return FinishedRun(directory.path, directory.path / MODEL_FOLDER)


def classifier_for(run: FinishedRun, runtime: str = "torch", *, on_grid: bool = False, word: str = "") -> Classifier:
    """`runtime` is torch, onnx or int8; the latter two need an export. `on_grid`, of torch: on the 8-bit grid, as after
    quantisation-aware steps. Of several words, the logits of `word`. Raises ModelError."""
    info = run.info
    return of_column(
        _all_words(run, runtime, on_grid), info.names.index(info.of_word(word).name) if info.words else None
    )


def of_column(classifier: Classifier, column: int | None) -> Classifier:
    """The logits of one of several words; None: there is one."""
    if column is None:
        return classifier

    def of_word(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = classifier(windows)
        return scores[:, column] if scores.ndim == 2 else scores

    return of_word


def _all_words(run: FinishedRun, runtime: str, on_grid: bool) -> Classifier:
    from pipeline.wakeword.packaging.export import onnx_classifier
    from pipeline.wakeword.runtime.inference import classifier_of

    if runtime == "torch":
        return classifier_of(load_model(run.folder)[0], on_grid=on_grid)
    file = run.home / EXPORTS / {"onnx": ONNX, "int8": INT8}[runtime]
    if not file.is_file():
        raise ModelError(N_("{run} is not exported yet. `pronlab wakeword export {run}` does it."), run=run.home.name)
    return onnx_classifier(file)


def evaluated_detector(run: FinishedRun, detector_preset: str | None, target_fah: float | None) -> DetectorConfig:
    """How a run is evaluated: as it is set, or by a preset, and for another rate of false alarms per hour. Raises
    TrainingError for an unknown preset."""
    from pipeline.wakeword.runtime.detector import preset

    own = run.info.detector
    chosen = preset(detector_preset, own) if detector_preset else own
    return chosen if target_fah is None else replace(chosen, target_fah=target_fah)


def require_all_words(run: FinishedRun, words: Collection[str], detector: DetectorConfig) -> None:
    """Asked before thresholds are kept that were found with another detector than the run's: how it votes and for which
    rate is one for all words. Raises ModelError where the thresholds of some of them would stay as they were."""
    info = run.info
    others = [name for name in info.names if name not in words]
    if others and detector != info.detector:
        raise ModelError(
            N_(
                "How a detector votes, and for how many false alarms per hour, holds for all of its words, and the "
                "threshold of {others} was set as it is now. Evaluate all words in one command (--positive NAME=FOLDER "
                "for each), or keep the preset and the rate."
            ),
            others=", ".join(others),
        )


def evaluate_run(
    run: FinishedRun,
    task: Any,
    *,
    detector: DetectorConfig | None = None,
    runtime: str = "torch",
    keep_threshold: bool = False,
    word: str = "",
    judge: "PhoneJudge | None" = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate on `task` (an `evaluate.EvaluationTask`) with the model's detector or another, keep the report, and with
    `keep_threshold` make that detector and the threshold for its target rate the model's. Of several words, for `word`;
    its report is kept beside those of the others. A `judge` of the task's `phones` answers, too, and the report says
    what it has learnt the word from."""
    from pipeline.wakeword.evaluation.evaluate import evaluate
    from pipeline.wakeword.evaluation.stream_metrics import measure

    info = run.info.of_word(word)
    run.require_writable(EVALUATION)
    _require_card(run, info)
    detector = detector or info.detector
    evaluation, stream_scores = evaluate(
        task, classifier_for(run, runtime, word=word), info.features, detector, threshold=info.threshold,
        temperature=info.temperature, judge=judge, progress=progress,
    )  # fmt: skip
    stream = to_json(evaluation.stream)
    report = {
        "miss_at_fah": evaluation.miss_at_fah, "eer": evaluation.stream.eer, "parameters": info.parameters,
        "real_time_factor": evaluation.stream.real_time_factor, "runtime": runtime, **to_json(evaluation),
        "task": to_json(_anywhere(task)), "name": info.name,
    }  # fmt: skip
    if judge is not None:
        report["judged"]["learnt_from"] = to_json(judge.learnt_from)
    run.keep_report(EVALUATION, info.name, report)
    measured = {"stream": {key: value for key, value in stream.items() if key not in ("curve", "alarms", "missed")}}
    measured["stream"] |= {"snr_db": task.snr_db, "votes": detector.votes, "of": detector.of}
    if judge is not None:
        measured["judged"] = {"word": judge.word, **report["judged"]["stream"]}

    def with_figures(now: DetectorInfo) -> DetectorInfo:
        now = replace(now, metrics={name: now.metrics[name] for name in now.metrics if name != "judged"} | measured)
        if not keep_threshold:
            return now
        found = measure(stream_scores, detector, (detector.target_fah,))
        return replace(_with_threshold(now, found), detector=detector)

    _save(run, word, with_figures)
    return report


def _anywhere(task: Any) -> Any:
    """The same task with paths that hold in any working directory."""
    return replace(
        task,
        positive=tuple(path.absolute() for path in task.positive),
        background=tuple(path.absolute() for path in task.background),
        noise=tuple(str(Path(path).absolute()) for path in task.noise),
        near=task.near.absolute() if task.near else None,
    )


def set_thresholds(run: FinishedRun, background: Sequence[Path] = (), progress: Progress | None = None) -> None:
    """As `set_threshold`, of all words."""
    for word in run.info.names or ("",):
        set_threshold(run, background, progress, word)


def set_threshold(
    run: FinishedRun, background: Sequence[Path] = (), progress: Progress | None = None, word: str = ""
) -> DetectorInfo | None:
    """Set the threshold for the target rate anew on a long stream of the run's validation clips and `background` (other
    speech that it was not trained on). None for a model that was copied without its run, and where a stream set the
    threshold before and there is no more background. Raises CorpusError where the clips are gone."""
    from pipeline.wakeword.evaluation.evaluate import one_thread
    from pipeline.wakeword.evaluation.stream_metrics import measure, score_stream

    info = run.info.of_word(word)
    basis = info.metrics.get("threshold") or {}
    if basis.get("source") == STREAM and not background:
        return None
    plan = held_stream(run, background, word)
    if plan is None:
        return None
    run.require_writable()
    classifier = classifier_for(run, "torch", on_grid=config_of(run).train.qat_steps > 0, word=word)
    with one_thread():
        scores = score_stream(plan, classifier, info.features, info.detector.hop_s, progress)
    stream = measure(scores, info.detector, (info.detector.target_fah,), plan.speech_hours)
    return _save(run, word, partial(_with_threshold, stream=stream))


def held_stream(run: FinishedRun, background: Sequence[Path] = (), word: str = "") -> "StreamPlan | None":
    """A long stream of the run's validation clips, its noise and `background`; of several words, `word` is among them,
    and the others are other speech. None for a model that was copied without
    its run. Raises CorpusError where the clips are gone."""
    from pipeline.audio.load import duration_of
    from pipeline.wakeword.data.clips import Label
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.data.splits import read_manifest
    from pipeline.wakeword.evaluation.evaluate import files_of
    from pipeline.wakeword.evaluation.stream_synthesis import plan_stream

    split = run.home / SPLIT_FOLDER
    if not split.is_dir():
        return None
    config = config_of(run)
    root, placed = read_manifest(split)
    held = [placement.clip for placement in placed if placement.part == "validation"]
    is_word = [clip.label is Label.POSITIVE and clip.word in ("", word) for clip in held]
    words = [root / clip.path for clip, hit in zip(held, is_word, strict=True) if hit]
    others = [
        root / clip.path
        for clip, hit in zip(held, is_word, strict=True)
        if not hit and clip.label is not Label.HARD_NEGATIVE
    ] + files_of(background)
    gone = [path for path in words + others if not path.is_file()]
    if gone:
        raise CorpusError(
            NN_(
                "{n} validation clip of {run} is gone, {first}: the threshold cannot be set without it. Put it back, "
                "or keep the threshold with --keep-threshold.",
                "{n} validation clips of {run} are gone, e.g. {first}: the threshold cannot be set on them. Put "
                "them back, or keep the threshold with --keep-threshold.",
            ),
            n=len(gone),
            run=run.home.name,
            first=str(gone[0]),
        )
    words_s, others_s = (sum(map(duration_of, paths)) for paths in (words, others))
    hours = max(SHORTEST_STREAM_H, NOISE_SHARE * others_s / 3600.0 + 2.0 * words_s / 3600.0)
    return plan_stream(words, others, read_noise(config.data.noise), hours, seed=config.seed)


def config_of(run: FinishedRun) -> "WakewordConfig":
    from pipeline.presets import build
    from pipeline.runs import RunDirectory
    from pipeline.wakeword.config import WakewordConfig

    return build(WakewordConfig, RunDirectory(run.home).config)


def _with_threshold(info: DetectorInfo, stream: "StreamResult") -> DetectorInfo:
    """With the threshold of the one rate that the stream was measured at."""
    (point,) = stream.at_fah.values()
    basis = to_json(from_stream(stream, point))
    return replace(info, threshold=point.threshold, metrics={**info.metrics, "threshold": basis})


def _require_card(run: FinishedRun, info: DetectorInfo) -> None:
    """Asked before hours of work that end in a new card. Raises ModelError where figures that it takes, and that the
    work does not replace, are damaged."""
    from pipeline.wakeword.packaging.card import card_of

    learnt = run.report(REPORT)
    if learnt is not None:
        others = {name: figures for name, figures in info.metrics.items() if name not in ("stream", "judged")}
        card_of(run.info.with_word(replace(info, metrics=others)), learnt)


def _save(run: FinishedRun, word: str, change: Callable[[DetectorInfo], DetectorInfo]) -> DetectorInfo:
    """Change what the model says of one word by now, as it was changed while this was measured: an export may have set
    the threshold. Returns the changed one, of this word."""
    from pipeline.wakeword.packaging.card import write_card

    before = run.info
    view = change(before.of_word(word))
    info = before.with_word(view)
    save_info(run.folder, info)
    learnt = run.report(REPORT)
    if learnt is not None:  # a model that was copied alone keeps the card it has
        write_card(run.folder, info, learnt)
    return view


def robustness_of(
    run: FinishedRun,
    positive: Sequence[Path],
    background: Sequence[Path],
    noise: Sequence[str],
    rir: Sequence[str],
    progress: Progress | None = None,
    seed: int = 0,
    word: str = "",
) -> list[dict[str, Any]]:
    """The table of `robustness.robustness` on at most 150 words and other clips, at the model's threshold."""
    from pipeline.audio.load import audio_files, distinct_names
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.data.rooms import read_rooms
    from pipeline.wakeword.evaluation.evaluate import one_thread, sides_of
    from pipeline.wakeword.evaluation.robustness import robustness

    run.require_writable(ROBUSTNESS)
    draw = np.random.default_rng(seed)
    words, others = (
        [files[i] for i in sorted(draw.permutation(len(files))[:MOST_CLIPS])]
        for files in sides_of(positive, background)
    )
    noise_names = distinct_names([path for folder in map(Path, noise) for path in audio_files(folder)])
    rooms = read_rooms(rir)
    info = run.info.of_word(word)
    with one_thread():
        rows = robustness(
            words, others, classifier_for(run, word=word), info.features, info.detector, info.threshold,
            noise=tuple(zip(noise_names, read_noise(noise), strict=True)),
            rooms=tuple(zip(rooms.names, rooms.responses, strict=True)), seed=seed, progress=progress,
        )  # fmt: skip
    conditions: list[dict[str, Any]] = to_json(rows)
    run.keep_report(ROBUSTNESS, info.name, conditions)
    return conditions


def scores_of_folder(
    run: FinishedRun,
    folder: Path,
    detector_preset: str | None = None,
    threshold: float | None = None,
    progress: Progress | None = None,
    word: str = "",
) -> "FolderScores":
    """Every clip of a folder, at the model's threshold or another; kept in the run's directory as its newest folder, of
    several words as that of `word`.
    Raises CorpusError for one without audio."""
    from pipeline.wakeword.evaluation.folder_scores import score_folder
    from pipeline.wakeword.runtime.detector import preset

    info = run.info.of_word(word)
    run.require_writable(FOLDER_SCORES)
    config = preset(detector_preset, info.detector) if detector_preset else info.detector
    chosen = info.threshold if threshold is None else threshold
    scores = score_folder(folder, classifier_for(run, word=word), info.features, config, chosen, progress)
    run.keep_report(FOLDER_SCORES, info.name, scores)
    return scores
