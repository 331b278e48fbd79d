"""Settings of runs: presets (a YAML file each) and what people set over them, checked against the configuration they
are for. Whatever is wrong is said at once, so that nobody mends it one launch at a time."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pipeline import artifacts
from pipeline.errors import TrainingError
from pipeline.i18n import N_, Message, joined
from pipeline.text import is_writable

PRESETS = Path(__file__).resolve().parent
SEEDS = (0, 2**31 - 1)
PRECISIONS = ("auto", "float32", "bfloat16")
T = TypeVar("T")
_known_types: dict[type[Any], dict[str, Any]] = {}
WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def list_presets(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_preset(folder: Path, name: str, config: type[Any]) -> dict[str, Any]:
    """The settings of `<folder>/<name>.yaml`. Raises TrainingError for an unknown preset, or a setting that the
    dataclass `config` does not have."""
    file = folder / f"{name}.yaml"
    if Path(name).name != name or not file.is_file():
        raise TrainingError(
            N_("Unknown preset {name!r}; known: {known}."), name=name, known=", ".join(list_presets(folder))
        )
    content = artifacts.loads_yaml(file.read_bytes()) or {}
    unknown = content.keys() - {field.name for field in fields(config)}
    if unknown:
        raise TrainingError(
            N_("{file} has settings nobody reads: {names}."), file=file.name, names=", ".join(sorted(unknown))
        )
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of several sources, the later over the earlier, section by section; `{"train.steps": 5}` and
    `{"train": {"steps": 5}}` are the same."""
    result: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            section, _, rest = name.partition(".")
            if rest:
                value = {rest: value}
            if isinstance(value, Mapping):
                known = result.get(section)
                result[section] = merged(known if isinstance(known, Mapping) else {}, value)
            else:
                result[section] = value
    return result


def build(config: type[T], settings: Mapping[str, Any]) -> T:
    """The dataclass `config` with `settings`, sections (dataclasses within it) as mappings. Raises TrainingError naming
    every setting that it does not have, that is of another type, or that it refuses."""
    types = field_types(config)
    wrong = [f"there is no setting {name!r}" for name in settings if name not in types]
    good: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in types:
            continue
        if is_dataclass(types[name]) and isinstance(value, Mapping):
            try:
                good[name] = build(cast(type[Any], types[name]), value)
            except TrainingError as error:
                wrong.append(Message(N_("in {section}: {reasons}"), section=name, reasons=_bare(error)))
            continue
        if isinstance(value, list):
            value = tuple(value)
        if types[name] is float and type(value) is int:
            value = float(value)
        if types[name] in (int, float, str, bool) and type(value) is not types[name]:
            wrong.append(f"{name} is {WORDS[types[name]]}, got {value!r}")
        else:
            good[name] = value
    try:
        built = config(**good)
    except TrainingError as error:
        wrong.append(_bare(error))
    refuse(wrong)
    return built


def known_values(config: type[Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `raw`, as it was read from JSON, that are fields of the dataclass `config`: lists become tuples."""
    return {name: _tuples(value) for name, value in raw.items() if name in field_types(config)}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def misfits(config: type[Any], values: Mapping[str, Any]) -> list[str]:
    """In words, those of `values` that are not of the type which the dataclass `config` has for them."""
    types = field_types(config)
    return [
        Message(N_("{name} is not of its type, got {value}"), name=name, value=f"{value!r:.60}")
        for name, value in values.items()
        if name in types and not _is_of(value, types[name])
    ]


def field_types(config: type[Any]) -> dict[str, Any]:
    """By field; evaluated once, as pages that list runs ask for each of them."""
    if config not in _known_types:
        hints = get_type_hints(config)
        _known_types[config] = {field.name: hints[field.name] for field in fields(config)}
    return _known_types[config]


def _is_of(value: Any, wanted: Any) -> bool:
    origin, parts = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return True
    if origin in (Union, UnionType):
        return any(_is_of(value, part) for part in parts)
    if origin is tuple:
        every = parts[0] if len(parts) == 2 and parts[1] is Ellipsis else None
        if not isinstance(value, tuple) or (every is None and len(value) != len(parts)):
            return False
        expected = [every] * len(value) if every is not None else list(parts)
        return all(_is_of(item, part) for item, part in zip(value, expected, strict=True))
    if origin in (dict, Mapping):
        return isinstance(value, Mapping) and all(_is_of(item, parts[1]) for item in value.values())
    if origin is Literal:
        return isinstance(value, str) and value in parts
    if wanted is str:
        return isinstance(value, str) and is_writable(value)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or wanted)


def overrides(lines: Iterable[str]) -> dict[str, Any]:
    """`name=value` or `name: value` lines, values as in YAML. Raises TrainingError naming all that are neither."""
    settings: dict[str, Any] = {}
    wrong: list[str] = []
    for line in filter(None, map(str.strip, lines)):
        name, mark, value = line.partition("=") if "=" in line else line.partition(":")
        try:
            read = artifacts.loads_yaml(value)
        except ValueError:
            read = None
        if not mark or not name.strip().replace(".", "_").isidentifier() or read is None:
            wrong.append(Message(N_("{line!r} is no name=value"), line=line))
        else:
            settings[name.strip()] = _number(read)
    refuse(wrong)
    return settings


def outside(config: Any, limits: Mapping[str, tuple[float, float]]) -> list[str]:
    """In words, the settings of `config` that do not lie within their limits."""
    return [
        Message(
            N_("{setting} lies in {low}-{high}, got {value}"),
            setting=name,
            low=str(low),
            high=str(high),
            value=str(getattr(config, name)),
        )
        for name, (low, high) in limits.items()
        if not low <= getattr(config, name) <= high
    ]


def not_among(config: Any, choices: Mapping[str, Collection[Any]]) -> list[str]:
    """In words, the settings of `config` that are none of their choices."""
    return [
        Message(
            N_("{setting} is one of {known}, got {value!r}"),
            setting=name,
            known=", ".join(map(str, known)),
            value=getattr(config, name),
        )
        for name, known in choices.items()
        if getattr(config, name) not in known
    ]


def refuse(wrong: list[str]) -> None:
    """Raises TrainingError with all of `wrong`, if there is any."""
    if wrong:
        raise TrainingError(N_("These settings cannot be used: {reasons}."), reasons=joined(wrong))


def _bare(error: TrainingError) -> str:
    """What is wrong, without the sentence around it."""
    reasons: str = error.text.values.get("reasons", error.text)
    return reasons


def _number(value: Any) -> Any:
    """YAML takes 2e-5 for text: it wants a point."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
