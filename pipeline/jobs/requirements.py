"""The packages that each kind of background work needs: asked for before a run is made, so that none starts that must
fail. Every executor runs the Python that starts it, on whichever machine."""

from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import JobError
from pipeline.i18n import N_, Message
from pipeline.optional import needs
from pipeline.records import to_json
from pipeline.runs.comparison import section_of
from pipeline.runs.trackers import PACKAGES, names_in

_LANGUAGE_MODEL = ("torch", "accelerate", "datasets", "peft", "transformers")
_DETECTOR = ("torch", "sklearn", "audiomentations", "pyroomacoustics")
ESP32 = ("torch", "tflite_micro", "flatbuffers", "pymicro_features")  # of a bundle
# By kind of run; what is not here needs nothing beyond a plain installation.
NEEDED: dict[str, tuple[str, ...]] = {
    "word": ("sklearn",),
    "table": ("sklearn",),
    "prompts": ("torch", "transformers", "sklearn"),
    "speech": ("torch", "transformers", "sklearn", "onnx", "onnxscript", "wordfreq", "pocketsphinx"),
    "letter-to-sound": ("torch", "onnx", "onnxscript"),
    "sounds": ("torch", "sklearn", "wordfreq"),
    "speechllm": _LANGUAGE_MODEL,
    "plan": _LANGUAGE_MODEL,
    "wakeword": _DETECTOR,
    "wakeword-search": (*_DETECTOR, "optuna"),
    "rate-range": _DETECTOR,
    "wakeword-evaluate": ("torch", "sklearn"),
    "wakeword-robustness": ("torch", "sklearn", "pyroomacoustics"),
    "wakeword-detect": ("torch",),
    "wakeword-learn-phones": ("torch", "sklearn", "symspellpy", "wordfreq"),
    "wakeword-export": ("torch",),
}
USERS = {"plan": N_("The estimate"), "wakeword-search": N_("The search")}
TRAININGS = ("word", "table", "prompts", "speech", "letter-to-sound", "sounds", "speechllm", "wakeword", "rate-range")


def require_packages(kind: str, config: Any = None) -> None:
    """Raises JobError, naming what installs them, where work of `kind` with the settings `config` lacks packages."""
    sentence = missing_for(kind, config)
    if sentence is not None:
        raise JobError(sentence)


def missing_for(kind: str, config: Any = None) -> Message | None:
    """In a sentence, which packages work of `kind` lacks and what installs them; None where all are there. Without
    `config`, what it needs whatever its settings are."""
    user = USERS.get(kind) or (N_("This training") if kind in TRAININGS else N_("This"))
    return needs(user, packages_of(kind, config))


def packages_of(kind: str, config: Any = None) -> list[str]:
    """All that work of `kind` needs beyond a plain installation, whether it is there or not."""
    return list(dict.fromkeys([*NEEDED.get(kind, ()), *_of_settings(kind, config)]))


def _of_settings(kind: str, config: Any) -> list[str]:
    content = to_json(config) if is_dataclass(config) else config
    given: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    by_settings = {
        "torch": kind == "word" and given.get("model") == "mlp",
        "optuna": given.get("search") == "optuna",
        "bitsandbytes": kind in ("speechllm", "plan") and given.get("bits") == 4,
        "transformers": Path(str(section_of(given, "distil").get("teacher") or "-")).is_dir(),  # a speech encoder
        "pymicro_features": section_of(given, "features").get("kind") == "micro",
    }
    packages = [name for name, is_needed in by_settings.items() if is_needed]
    if kind == "word" and given.get("extractor") == "encoder":
        packages += ["torch", "transformers"]
    if kind == "wakeword-export" and "--bundle" in (options := given.get("options") or ()):
        packages += ESP32 if "--esp32" in options else ["onnx"]
    return packages + [PACKAGES[name] for name in names_in(str(given.get("trackers") or "")) if name in PACKAGES]
