"""What came in, in 57 figures: logged with predictions, and compared with what a model was trained on."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.load import Audio
from pipeline.corpus.sets import get_set, read_recordings
from pipeline.errors import UnknownNameError
from pipeline.features.base import load_extractor
from pipeline.features.table import build_table
from pipeline.monitoring.drift import Drift, of_values
from pipeline.monitoring.predictions import PredictionLog
from pipeline.parallel import Progress
from pipeline.records import ScoreResult
from pipeline.scoring.model_registry import Entry
from pipeline.settings import Settings

EXTRACTOR = "acoustic57"
MOST_REFERENCE = 500  # recordings of the training set: enough for a distribution
FEWEST = 100  # logged predictions, where the first half is the reference


def features_of(settings: Settings, audio: Audio, result: ScoreResult) -> tuple[float, ...]:
    """Empty where the recording was refused: silence has no distribution to drift."""
    if result.overall is None:
        return ()
    return tuple(map(float, _extractor(settings).extract(audio, result.target)))


def feature_names(settings: Settings) -> tuple[str, ...]:
    return tuple(_extractor(settings).feature_names)


def feature_drift(
    settings: Settings, entry: Entry | None, model_id: str, since: str = "", progress: Progress | None = None
) -> tuple[list[Drift], str]:
    """Each feature of the predictions since a day against the recordings that the model was trained on, the largest
    drift first; where those are not here, the later half of the predictions against the earlier. And which it was, in
    words."""
    log = PredictionLog(settings)
    now = log.sampled_features(model_id, since)
    reference, words = _trained_on(settings, entry, progress)
    if reference is None:
        if len(now) < FEWEST:
            return [], f"{len(now)} of the {FEWEST} predictions needed, as the training recordings are not here"
        half = len(now) // 2
        reference, now, words = now[:half], now[half:], "the earlier half of them"
    names = feature_names(settings)
    if not len(now) or now.shape[1] != len(names):
        return [], "no prediction has its features logged yet"
    found = [of_values(name, reference[:, n], now[:, n]) for n, name in enumerate(names)]
    return sorted(found, key=lambda one: -(one.psi or 0.0)), words


def _trained_on(
    settings: Settings, entry: Entry | None, progress: Progress | None
) -> tuple[NDArray[np.float32] | None, str]:
    name = str(entry.made_from.get("trained_on", "")) if entry else ""
    try:
        recordings = read_recordings(settings, get_set(settings, name).name) if name else []
    except UnknownNameError:
        recordings = []
    if not recordings:
        return None, ""
    chosen = np.random.default_rng(0).permutation(len(recordings))[:MOST_REFERENCE]
    table = build_table(settings, [recordings[i] for i in sorted(chosen)], EXTRACTOR, progress=progress)
    return table.values, f"{len(table.values)} recordings of the set {name}, which it was trained on"


@lru_cache(maxsize=4)
def _extractor(settings: Settings) -> Any:
    return load_extractor(settings, EXTRACTOR)
