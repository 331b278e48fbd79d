"""What came in, in figures: logged with predictions, and compared with what a model was trained on."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.corpus.sets import get_set, read_recordings
from pipeline.deployment.logged_features import EXTRACTOR, feature_names
from pipeline.deployment.model_registry import Entry
from pipeline.deployment.prediction_log import PredictionLog
from pipeline.errors import ModelError, UnknownNameError
from pipeline.features.table import build_table
from pipeline.monitoring.drift import Drift, of_values
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.tabular.model_files import INFO, load_model

MOST_REFERENCE = 500  # recordings of the training set: enough for a distribution
FEWEST = 100  # logged predictions, where the first half is the reference


@dataclass(frozen=True)
class Reference:
    """What predictions are held against: raw features [n, d] of training items, and which they are, in words."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    words: str


def feature_drift(
    settings: Settings, entry: Entry | None, model_id: str, since: str = "", progress: Progress | None = None
) -> tuple[list[Drift], str]:
    """Each feature of the predictions since a day against what the model was trained on, the largest drift first; where
    that is not here, the later half of the predictions against the earlier. And which it was, in words."""
    now = PredictionLog(settings).sampled_features(model_id, since)
    reference = _of_table(settings, model_id) or _of_recordings(settings, entry, progress)
    if reference is None:
        if len(now) < FEWEST:
            return [], f"{len(now)} of the {FEWEST} predictions needed, as the training recordings are not here"
        half = len(now) // 2
        reference, now = Reference(feature_names(settings), now[:half], "the earlier half of them"), now[half:]
    if not len(now) or now.shape[1] != len(reference.names):
        return [], "no prediction has its features logged yet"
    found = [of_values(name, reference.values[:, n], now[:, n]) for n, name in enumerate(reference.names)]
    return sorted(found, key=lambda one: -(one.psi or 0.0)), reference.words


def _of_table(settings: Settings, model_id: str) -> Reference | None:
    """Models of tables keep features of their training items."""
    for info in settings.deployed_root.glob(f"tabular-*/{INFO}"):
        with suppress(ModelError):
            model = load_model(info.parent)
            if model.info.model_id == model_id:
                words = f"{len(model.reference)} items that it was trained on"
                return Reference(model.info.feature_names, model.reference, words)
    return None


def _of_recordings(settings: Settings, entry: Entry | None, progress: Progress | None) -> Reference | None:
    name = str(entry.made_from.get("trained_on", "")) if entry else ""
    try:
        recordings = read_recordings(settings, get_set(settings, name).name) if name else []
    except UnknownNameError:
        recordings = []
    if not recordings:
        return None
    chosen = np.random.default_rng(0).permutation(len(recordings))[:MOST_REFERENCE]
    table = build_table(settings, [recordings[i] for i in sorted(chosen)], EXTRACTOR, progress=progress)
    words = f"{len(table.values)} recordings of the set {name}, which it was trained on"
    return Reference(table.names, table.values, words)
