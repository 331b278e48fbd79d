"""What may be done with a finished run: evaluate it, try its robustness, export it; reports lie in its directory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import artifacts
from pipeline.errors import JobError, ModelError
from pipeline.jobs.launcher import find
from pipeline.parallel import Progress
from pipeline.records import to_json
from pipeline.settings import Settings
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.file_names import EVALUATION, EXPORTS, INFO, INT8, MODEL_FOLDER, ONNX, REPORT, ROBUSTNESS
from pipeline.wakeword.runtime.detector import Classifier
from pipeline.wakeword.runtime.model_files import DetectorInfo, load_model, read_info, save_info

MOST_CLIPS = 150  # of each side, for each condition of the robustness suite


@dataclass(frozen=True)
class FinishedRun:
    """`home` holds the reports: the run directory, or the model folder itself where it was copied alone."""

    home: Path
    folder: Path

    @property
    def info(self) -> DetectorInfo:
        return read_info(self.folder)

    def report(self, name: str) -> Any:
        """What was measured, None where nothing was."""
        path = self.home / name
        return artifacts.read_json(path) if path.is_file() else None


def open_finished_run(settings: Settings, run: str) -> FinishedRun:
    """By the id of a run, the path of its directory, or of a model folder. Raises ModelError where there is none."""
    path = Path(run)
    for home, folder in ((path, path / MODEL_FOLDER), (path, path)):
        if (folder / INFO).is_file():
            return FinishedRun(home, folder)
    try:
        directory = find(settings, run)
    except JobError as error:
        raise ModelError(f"There is no detector {run!r}: no run of that id and no folder with a model.") from error
    if not (directory.path / MODEL_FOLDER / INFO).is_file():
        raise ModelError(f"{directory.id} has no model yet; it is {directory.state.status}.")
    return FinishedRun(directory.path, directory.path / MODEL_FOLDER)


def classifier_for(run: FinishedRun, runtime: str = "torch") -> Classifier:
    """`runtime` is torch, onnx or int8; the latter two need an export. Raises ModelError."""
    from pipeline.wakeword.packaging.export import onnx_classifier
    from pipeline.wakeword.runtime.inference import classifier_of

    if runtime == "torch":
        return classifier_of(load_model(run.folder)[0])
    file = run.home / EXPORTS / {"onnx": ONNX, "int8": INT8}[runtime]
    if not file.is_file():
        raise ModelError(f"{run.home.name} is not exported yet. `pronlab wakeword export {run.home.name}` does it.")
    return onnx_classifier(file)


def evaluate_run(
    run: FinishedRun,
    task: Any,
    *,
    detector: DetectorConfig | None = None,
    runtime: str = "torch",
    keep_threshold: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate on `task` (an `evaluate.EvaluationTask`) with the model's detector or another, keep the report, and with
    `keep_threshold` make that detector and the threshold for its target rate the model's."""
    from pipeline.wakeword.evaluation.evaluate import evaluate
    from pipeline.wakeword.evaluation.stream_metrics import measure
    from pipeline.wakeword.packaging.card import write_card

    info = run.info
    detector = detector or info.detector
    evaluation, stream_scores = evaluate(
        task, classifier_for(run, runtime), info.features, detector, threshold=info.threshold,
        temperature=info.temperature, progress=progress,
    )  # fmt: skip
    stream = to_json(evaluation.stream)
    report = {
        "miss_at_fah": evaluation.miss_at_fah, "eer": evaluation.stream.eer, "parameters": info.parameters,
        "real_time_factor": evaluation.stream.real_time_factor, "runtime": runtime, **to_json(evaluation),
        "task": to_json(task), "name": info.name,
    }  # fmt: skip
    artifacts.write_json(run.home / EVALUATION, report)
    brief = {key: value for key, value in stream.items() if key not in ("curve", "alarms", "missed")}
    info = replace(info, metrics={**info.metrics, "stream": brief})
    if keep_threshold:
        target = detector.target_fah
        point = measure(stream_scores, detector, (target,)).at_fah[str(float(target))]
        info = replace(info, threshold=point.threshold, detector=detector)
    save_info(run.folder, info)
    learnt = run.report(REPORT)
    if learnt is not None:  # a model that was copied alone keeps the card it has
        write_card(run.folder, info, learnt)
    return report


def robustness_of(
    run: FinishedRun,
    positive: Sequence[Path],
    background: Sequence[Path],
    noise: Sequence[str],
    rir: Sequence[str],
    progress: Progress | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """The table of `robustness.robustness` on at most 150 words and other clips, at the model's threshold."""
    from pipeline.audio.load import audio_files
    from pipeline.wakeword.data.noise import read_noise
    from pipeline.wakeword.data.rooms import read_rooms
    from pipeline.wakeword.evaluation.evaluate import files_of, one_thread
    from pipeline.wakeword.evaluation.robustness import robustness

    draw = np.random.default_rng(seed)
    words, others = (
        [files[i] for i in sorted(draw.permutation(len(files))[:MOST_CLIPS])]
        for files in (files_of(positive), files_of(background))
    )
    names = {
        kind: [p.stem for f in map(Path, folders) for p in audio_files(f)]
        for kind, folders in (("noise", noise), ("rir", rir))
    }
    info = run.info
    with one_thread():
        rows = robustness(
            words, others, classifier_for(run), info.features, info.detector, info.threshold,
            noise=dict(zip(names["noise"], read_noise(noise), strict=True)),
            rooms=dict(zip(names["rir"], read_rooms(rir), strict=True)), seed=seed, progress=progress,
        )  # fmt: skip
    conditions: list[dict[str, Any]] = to_json(rows)
    artifacts.write_json(run.home / ROBUSTNESS, conditions)
    return conditions
