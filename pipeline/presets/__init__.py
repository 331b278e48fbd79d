"""Settings of supported runs, a YAML file each; read against the configuration they are for."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import TrainingError

PRESETS = Path(__file__).resolve().parent


def list_presets(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_preset(folder: Path, name: str, config: type[Any]) -> dict[str, Any]:
    """The settings of `<folder>/<name>.yaml`. Raises TrainingError for an unknown preset, or a setting that the
    dataclass `config` does not have."""
    file = folder / f"{name}.yaml"
    if Path(name).name != name or not file.is_file():
        raise TrainingError(f"Unknown preset {name!r}; known: {', '.join(list_presets(folder))}.")
    content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    unknown = content.keys() - {field.name for field in fields(config)}
    if unknown:
        raise TrainingError(f"{file.name} has settings nobody reads: {', '.join(sorted(unknown))}.")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
