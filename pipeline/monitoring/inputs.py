"""Features of recordings: logged with predictions, and compared with those of a model's training data."""

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
from pipeline.i18n import _, ngettext, number
from pipeline.monitoring.drift import Drift, of_values
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.tabular.model_files import INFO, load_info, reference_of

MOST_REFERENCE = 500  # recordings of the training set: enough for a distribution
FEWEST = 100  # logged predictions, where the first half is the reference


@dataclass(frozen=True)
class ReferenceFeatures:
    """Raw features [n, d] that predictions are compared with, and where they come from, for people to read."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    source: str


@dataclass(frozen=True)
class FeatureDrift:
    """`features` with the largest drift first and the `source` of the reference; without features, `source` says why
    nothing could be compared."""

    features: tuple[Drift, ...]
    source: str


def feature_drift(
    settings: Settings, entry: Entry | None, model_id: str, since: str = "", progress: Progress | None = None
) -> FeatureDrift:
    """The features of predictions since a day against the model's training data; where that is not on this machine,
    the later half of the predictions against the earlier."""
    now = PredictionLog(settings).sampled_features(model_id, since)
    reference = _of_table(settings, model_id) or _of_recordings(settings, entry, progress)
    if reference is None:
        if len(now) < FEWEST:
            return FeatureDrift(
                (),
                _(
                    "The training recordings are not on this machine, and {n} of the {needed} predictions needed "
                    "without them have been made."
                ).format(n=number(len(now)), needed=FEWEST),
            )
        half = len(now) // 2
        reference = ReferenceFeatures(feature_names(settings), now[:half], _("the earlier half of the predictions"))
        now = now[half:]
    if not len(now) or now.shape[1] != len(reference.names):
        return FeatureDrift((), _("No features have been logged for these predictions yet."))
    features = [of_values(name, reference.values[:, n], now[:, n]) for n, name in enumerate(reference.names)]
    return FeatureDrift(tuple(sorted(features, key=lambda drift: -(drift.psi or 0.0))), reference.source)


def _of_table(settings: Settings, model_id: str) -> ReferenceFeatures | None:
    """Models of tables keep features of their training items."""
    for info in settings.deployed_root.glob(f"tabular-*/{INFO}"):
        with suppress(ModelError):
            model = load_info(info.parent)
            if model.model_id == model_id:
                reference = reference_of(info.parent)
                n = len(reference)
                source = ngettext("{n} training item", "{n} training items", n).format(n=number(n))
                return ReferenceFeatures(model.feature_names, reference, source)
    return None


def _of_recordings(settings: Settings, entry: Entry | None, progress: Progress | None) -> ReferenceFeatures | None:
    name = str(entry.made_from.get("trained_on", "")) if entry else ""
    try:
        recordings = read_recordings(settings, get_set(settings, name).name) if name else []
    except UnknownNameError:
        recordings = []
    if not recordings:
        return None
    chosen = np.random.default_rng(0).permutation(len(recordings))[:MOST_REFERENCE]
    table = build_table(settings, [recordings[i] for i in sorted(chosen)], EXTRACTOR, progress=progress)
    n = len(table.values)
    source = ngettext("{n} training recording of the set {name}", "{n} training recordings of the set {name}", n)
    return ReferenceFeatures(table.names, table.values, source.format(n=number(n), name=name))
