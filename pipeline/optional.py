"""Packages that only some work needs: which extra brings each, said in one line before that work begins."""

import importlib.util
from collections.abc import Sequence

from pipeline.errors import PronlabError

# package -> the extra of pyproject.toml that brings it; None: it is installed by its own name.
EXTRAS: dict[str, str | None] = {
    "onnxscript": "encoder", "symspellpy": "encoder", "transformers": "encoder", "wordfreq": "encoder",
    "accelerate": "speechllm", "bitsandbytes": "speechllm", "datasets": "speechllm", "peft": "speechllm",
    "optuna": "search", "submitit": "slurm", "ray": "ray", "spacy": "text", "mlflow": None, "wandb": None, "onnx": None,
}  # fmt: skip


def require(what: str, packages: Sequence[str], error: type[PronlabError], extra: str | None = None) -> None:
    """Raises `error`, naming the command that installs them, where one of `packages` cannot be imported. `what` begins
    the sentence; `extra` is given where one extra brings them all."""
    missing = [name for name in packages if not is_there(name)]
    if not missing:
        return
    extras = {extra or EXTRAS[name] for name in missing}
    named = sorted(f"'pronlab[{one}]'" for one in extras if one is not None)
    bare = [name for name in missing if extra is None and EXTRAS[name] is None]
    raise error(f"{what} needs {' and '.join(missing)}: pip install {' '.join([*named, *bare])}.")


def is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # it is loaded, by other means
        return True
