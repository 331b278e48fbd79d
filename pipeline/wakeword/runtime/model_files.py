"""A trained detector on disk: `model.safetensors`, and `model.json` with all that is needed to use it; a copy of the
speech embedding that it hears through, if any."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts, presets
from pipeline.errors import ModelError, TrainingError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.records import to_json
from pipeline.wakeword.config import DetectorConfig, ModelConfig
from pipeline.wakeword.embedding import NETWORK
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.file_names import EMBEDDING, INFO, WEIGHTS
from pipeline.wakeword.threshold import known_basis

if TYPE_CHECKING:
    from pipeline.wakeword.models import WakewordModel

FORMAT = 1


@dataclass(frozen=True)
class WordInfo:
    """One of several words, as `DetectorInfo` has it of one."""

    name: str
    threshold: float
    temperature: float
    metrics: dict[str, Any]


@dataclass(frozen=True)
class DetectorInfo:
    """What a detector is: `threshold` in logits for `detector.target_fah`, `temperature` to divide them by before they
    are read as probabilities. `words` has them for each of several words, in the order of the model's outputs."""

    name: str
    features: FeatureConfig
    model: ModelConfig
    detector: DetectorConfig
    threshold: float
    temperature: float
    parameters: int
    metrics: dict[str, Any]
    words: tuple[WordInfo, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of several words; none for a detector of one."""
        return tuple(word.name for word in self.words)

    @property
    def bases(self) -> dict[str, dict[str, Any]]:
        """What the threshold of each of several words rests on, where that is known; of a detector of one under ""."""
        metrics = {word.name: word.metrics for word in self.words} or {"": self.metrics}
        return {name: basis for name, of_word in metrics.items() if (basis := known_basis(of_word)) is not None}

    def of_word(self, name: str) -> "DetectorInfo":
        """As of a detector of this word alone. Raises ModelError for a word that it does not know, and for none where
        it knows several."""
        if not self.words and name in ("", self.name):
            return self
        chosen = next((word for word in self.words if word.name == name), None)
        if chosen is None:
            known = ", ".join(self.names) or self.name
            if not name:
                raise ModelError(N_("This detector knows several words: name one of {known}."), known=known)
            raise ModelError(N_("Choose a word of this detector ({known}); got {name!r}."), known=known, name=name)
        view = replace(self, name=name, threshold=chosen.threshold, temperature=chosen.temperature, words=())
        return replace(view, metrics=chosen.metrics)

    def with_word(self, view: "DetectorInfo") -> "DetectorInfo":
        """With what was changed in the view of one word."""
        if not self.words:
            return view
        changed = WordInfo(view.name, view.threshold, view.temperature, view.metrics)
        words = tuple(changed if word.name == view.name else word for word in self.words)
        return replace(self, detector=view.detector, words=words)


def save_model(folder: Path, model: "WakewordModel", info: DetectorInfo) -> None:
    if info.features.embedding:
        network = (Path(info.features.embedding) / NETWORK).read_bytes()
        artifacts.write_bytes(folder / EMBEDDING / NETWORK, network)
    artifacts.write_tensors(folder / WEIGHTS, model.state_dict())
    digest = artifacts.sha256_of(folder / WEIGHTS)
    artifacts.write_json(folder / INFO, {"format": FORMAT, "sha256": digest, **_as_written(info)})


def save_info(folder: Path, info: DetectorInfo) -> None:
    """Write what changed beside the weights, such as another threshold."""
    before = artifacts.read_json(folder / INFO)
    artifacts.write_json(folder / INFO, {**before, **_as_written(info)})


def _as_written(info: DetectorInfo) -> dict[str, Any]:
    """Without the section of several words where there is one; an embedding is that of the folder."""
    written: dict[str, Any] = to_json(asdict(info))
    if info.features.embedding:
        written["features"]["embedding"] = EMBEDDING
    if not info.words:
        written.pop("words")
    return written


def read_info(folder: Path) -> DetectorInfo:
    """Raises ModelError for a folder without a detector, or with one that this release cannot read."""
    raw = _read(folder)
    try:
        known = {name: raw[name] for name in DetectorInfo.__dataclass_fields__ if name != "words"}
        words = tuple(presets.build(WordInfo, word) for word in raw.get("words", ()))
        sections = {"features": FeatureConfig, "model": ModelConfig, "detector": DetectorConfig}
        wrong = presets.misfits(DetectorInfo, {name: value for name, value in known.items() if name not in sections})
        wrong += [f"{name} is no section" for name in sections if not isinstance(known[name], dict)]
        if wrong:
            raise TypeError("; ".join(wrong))
        low = [value for value in (known["temperature"], *(word.temperature for word in words)) if value <= 0]
        if low:
            raise TypeError(f"temperature is above 0, got {low[0]}")
        features = presets.build(FeatureConfig, raw["features"])
        if features.embedding:
            features = replace(features, embedding=str(folder / EMBEDDING))
        return DetectorInfo(
            **{
                **known,
                "features": features,
                "model": presets.build(ModelConfig, raw["model"]),
                "detector": presets.build(DetectorConfig, raw["detector"]),
                "words": words,
            }
        )
    except (AttributeError, KeyError, TypeError, TrainingError) as error:
        raise ModelError(
            N_("{file} does not describe a detector ({reason}). Train or copy it again."),
            file=str(folder / INFO),
            reason=said_by(error),
        ) from error


def load_model(folder: Path) -> "tuple[WakewordModel, DetectorInfo]":
    """In evaluation mode. Raises ModelError for weights that are damaged, of another configuration, or not tensors
    alone."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from pipeline.wakeword.models import make_model
    from pipeline.wakeword.models.budget import budget_of

    info = read_info(folder)
    n_words = max(1, len(info.words))
    try:
        budget_of(info.model, info.features)  # which follows a window through it
        model = make_model(info.model, info.features, Cmvn.none(info.features.n_bins), n_words)
    except TrainingError as error:
        raise ModelError(
            N_("{file} does not describe a detector ({reason}). Train or copy it again."),
            file=str(folder / INFO),
            reason=said_by(error),
        ) from error
    try:
        weights = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            N_("{file} holds no tensors that can be read ({reason}). Only safetensors are loaded."),
            file=str(folder / WEIGHTS),
            reason=said_by(error),
        ) from error
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    wrong = [
        Message(
            N_("{name} {theirs} there, {expected} expected"),
            name=name,
            theirs=str(shapes[name]) if name in shapes else Message(N_("is missing")),
            expected=str(expected[name]) if name in expected else Message(N_("nothing")),
        )
        for name in sorted(expected.keys() | shapes.keys())
        if expected.get(name) != shapes.get(name)
    ]
    if wrong:
        raise ModelError(
            N_(
                "The weights in {folder} are of another configuration than {info} ({name}, width {width:g}): {reasons}."
            ),
            folder=str(folder),
            info=INFO,
            name=info.model.name,
            width=info.model.width,
            reasons=joined(wrong[:3]),
        )
    if artifacts.sha256_of(folder / WEIGHTS) != _read(folder).get("sha256"):
        raise ModelError(
            N_("{file} is not the file that {info} was written for. Copy both again."),
            file=str(folder / WEIGHTS),
            info=INFO,
        )
    are_numbers = all(bool(value.isfinite().all()) for value in weights.values())
    if not are_numbers or not bool((weights["std"] > 0.0).all()):
        raise ModelError(
            N_(
                "{file} holds values that are no numbers, or deviations of 0: it would never detect. Train or copy it "
                "again."
            ),
            file=str(folder / WEIGHTS),
        )
    model.load_state_dict(weights)
    return model.eval(), info


def _read(folder: Path) -> dict[str, Any]:
    try:
        raw = artifacts.read_json(folder / INFO)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            N_("{folder} holds no detector ({reason}). `pronlab wakeword train` makes one."),
            folder=str(folder),
            reason=said_by(error),
        ) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ModelError(
            N_("{file} is not of format {expected}. Train it again with this release."),
            file=str(folder / INFO),
            expected=FORMAT,
        )
    return raw
