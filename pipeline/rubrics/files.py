"""Rubrics as YAML that anyone can write.

    name: clarity
    unit: sentence                  # word or sentence: what is read, and so which scorers answer
    title: {en: Clarity, tr: Açıklık}
    overall: mean                   # the dimension that is the score, or the mean of all
    digits: values                  # the digit n is the value n; `levels`: the nth level from below
    dimensions:
      - key: sounds
        label: Sounds
        low: 1
        high: 5
        step: 1
        levels:                     # the highest first; the last begins at `low`
          - {low: 4, label: Clear, meaning: every sound is right}
          - {low: 1, label: Unclear, meaning: sounds are wrong or missing}
    marks: [mispronounced, missing] # optional: kinds of marks on words and sounds that the form offers
    keys: {X: sounds}               # optional: further keys, to a dimension or a kind of mark

Texts may be in several languages, of which a rater reads their own, else English. They stand in the file, for rubrics
that come with Pronlab too, and not in the catalogue: what raters read is part of what was measured and of the version,
and a rubric that somebody adds has no catalogue.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from pipeline import artifacts
from pipeline.errors import PronlabError, TableError, said_by
from pipeline.i18n import N_, Message, Multilingual, joined
from pipeline.records import RubricName
from pipeline.rubrics.rubric import BY_VALUE, DIGITS, MARKS, MEAN, SCORE, Dimension, Level, Rubric
from pipeline.tablefile import decoded
from pipeline.text import is_showable
from pipeline.text.languages import is_language_code

MAX_BYTES = 64_000
MAX_DIMENSIONS, MAX_LEVELS, MAX_STEPS = 8, 12, 1000
MAX_LABEL, MAX_MEANING = 40, 160
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
KEYS = ("name", "unit", "title", "overall", "digits", "dimensions", "marks", "keys")
DIMENSION_KEYS = ("key", "label", "low", "high", "step", "levels")
LEVEL_KEYS = ("low", "label", "meaning")
# Names of columns and fields beside the dimensions' in exports, and of what `overall` can be besides a dimension.
TAKEN_NAMES = frozenset(
    (
        MEAN, "recording_id", "set", "speaker", "text", "part", "evaluator", "action", "purpose", "notes", "reason",
        "marks", "at", "took_s", "heard", "project", "source", "counts", "consensus", "excluded", "rubric", "experts",
        "n", "method", "audio", "word", "sound", "share_heard", "rater", "rated_at", "labeled", "clock", "dimensions",
    )
)  # fmt: skip
# The keys of the form, its player and its tiers, with those that browsers and screen readers use.
USED_KEYS = frozenset(" abcdefghijklmnopqrstuvwxyz0123456789ABCDHIJKLMNOPRSTUWY,.?<>+-=[]/'\"")


class RubricError(PronlabError):
    """A rubric that cannot be used, with all that is wrong with it."""


def parse(content: bytes) -> Rubric:
    """Raises RubricError with everything that is wrong."""
    if len(content) > MAX_BYTES:
        text = N_("A rubric has at most {limit} kB, this has {size}.")
        raise RubricError(text, limit=MAX_BYTES // 1000, size=len(content) // 1000)
    try:
        text = decoded(content)[0]
        wrong: list[str] = list(_misread(text))
        raw = artifacts.loads_yaml(text) if not wrong else {}
    except (ValueError, TableError, yaml.YAMLError, RecursionError) as error:
        raise RubricError(N_("The rubric cannot be read as YAML: {reason}"), reason=said_by(error)) from error
    if not wrong and not isinstance(raw, dict):
        raise RubricError(N_("A rubric has the keys {keys}; this has none of them."), keys=", ".join(KEYS))
    rubric = None if wrong else _rubric(raw, wrong)
    if rubric is None or wrong:
        raise RubricError(N_("This rubric cannot be used: {reasons}."), reasons=joined(wrong))
    return rubric


def dump(rubric: Rubric) -> bytes:
    """The inverse of `parse`."""
    return yaml.safe_dump(rubric.content(), allow_unicode=True, sort_keys=False, width=120).encode("utf-8")


def _misread(text: str) -> Iterable[str]:
    """What YAML takes without a word: a key that is there twice, and parts that stand for others."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
        yield Message(N_("it has aliases (*); write the parts out"))
        return
    waiting = [yaml.compose(text, loader)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode)]
            for key in (key for key, n in Counter(keys).items() if n > 1):
                line = str(node.start_mark.line + 1)
                yield Message(N_("{key!r} is there twice in the part that begins in line {line}"), key=key, line=line)
            waiting += [value for _key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _rubric(raw: dict[Any, Any], wrong: list[str]) -> Rubric | None:
    _known_keys("", raw, KEYS, wrong)
    name = raw.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        text = N_("a name has 1 to 40 of a-z, 0-9, - and _, a letter first; got {name!r}")
        wrong.append(Message(text, name=_short(name)))
    unit = raw.get("unit")
    if unit not in list(RubricName):
        wrong.append(Message(N_("unit is word or sentence, got {unit!r}"), unit=_short(unit)))
    title = _text("title", raw.get("title"), MAX_LABEL, wrong)
    dimensions = _dimensions(raw.get("dimensions"), wrong)
    entries = raw.get("dimensions")
    # With those that are wrong: what leads to them is not.
    keys = [str(e["key"]) for e in entries if isinstance(e, dict) and "key" in e] if isinstance(entries, list) else []
    overall = raw.get("overall", keys[0] if len(keys) == 1 else MEAN)
    if keys and overall not in (*keys, MEAN):
        text = N_("overall is {known} or mean, got {value!r}")
        wrong.append(Message(text, known=", ".join(keys), value=_short(overall)))
    digits = raw.get("digits", BY_VALUE)
    if digits not in DIGITS:
        wrong.append(Message(N_("digits is levels or values, got {value!r}"), value=_short(digits)))
    marks = _marks(raw.get("marks", []), wrong)
    shortcuts = _shortcuts(raw.get("keys", {}), (*keys, *marks), wrong)
    if wrong:
        return None
    return Rubric(
        str(name), RubricName(str(unit)), title, tuple(dimensions), str(overall), str(digits), marks, shortcuts
    )


def _dimensions(raw: Any, wrong: list[str]) -> list[Dimension]:
    """Those that can be used."""
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_DIMENSIONS:
        wrong.append(Message(N_("dimensions is a list of 1 to {n}"), n=str(MAX_DIMENSIONS)))
        return []
    dimensions: list[Dimension] = []
    for number, entry in enumerate(raw, start=1):
        key = entry.get("key") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(key, str) or not NAME.fullmatch(key):
            text = N_("dimension {number} has no key of 1 to 40 of a-z, 0-9, - and _, a letter first")
            wrong.append(Message(text, number=str(number)))
            continue
        if key in TAKEN_NAMES or key in dict(MARKS):
            wrong.append(Message(N_("{key!r} cannot be a dimension's key: exports use it otherwise"), key=key))
        if key in {dimension.key for dimension in dimensions}:
            wrong.append(Message(N_("there are two dimensions {key!r}"), key=key))
        dimension = _dimension(key, entry, wrong)
        if dimension is not None:
            dimensions.append(dimension)
    if any(d.key == SCORE and not (d.is_score and len(raw) == 1) for d in dimensions):
        text = N_("a dimension with the key score is the only one and goes from 0 to 100; give it another key")
        wrong.append(Message(text))
    return dimensions


def _dimension(key: str, raw: dict[Any, Any], wrong: list[str]) -> Dimension | None:
    before = len(wrong)
    _known_keys(key, raw, DIMENSION_KEYS, wrong)
    label = _text(f"{key}: label", raw.get("label"), MAX_LABEL, wrong)
    scale = [_number(f"{key}: {name}", raw.get(name), wrong) for name in ("low", "high", "step")]
    low, high, step = (value if value is not None else math.nan for value in scale)
    if low < 0:
        wrong.append(Message(N_("{key}: a scale begins at 0 or above, got {low}"), key=key, low=f"{low:g}"))
    if low >= high:
        text = N_("{key}: high must be above low, got {low} and {high}")
        wrong.append(Message(text, key=key, low=f"{low:g}", high=f"{high:g}"))
    elif step <= 0:
        wrong.append(Message(N_("{key}: step must be above 0, got {step}"), key=key, step=f"{step:g}"))
    elif None not in scale:
        n_steps = (high - low) / step
        if n_steps > MAX_STEPS:
            text = N_("{key}: a scale has at most {limit} steps, this has {n}")
            wrong.append(Message(text, key=key, limit=str(MAX_STEPS), n=f"{n_steps:.0f}"))
        elif not math.isclose(n_steps, round(n_steps), abs_tol=1e-6):
            text = N_("{key}: steps of {step} do not lead from {low} to {high}")
            wrong.append(Message(text, key=key, step=f"{step:g}", low=f"{low:g}", high=f"{high:g}"))
    levels = _levels(key, raw.get("levels"), low, high, wrong)
    return Dimension(key, label, low, high, step, levels) if len(wrong) == before else None


def _levels(key: str, raw: Any, low: float, high: float, wrong: list[str]) -> tuple[Level, ...]:
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_LEVELS or not all(isinstance(one, dict) for one in raw):
        wrong.append(Message(N_("{key}: levels is a list of 1 to {n}"), key=key, n=str(MAX_LEVELS)))
        return ()
    levels: list[Level] = []
    for number, entry in enumerate(raw, start=1):
        place = f"{key}: level {number}"
        _known_keys(place, entry, LEVEL_KEYS, wrong)
        start = _number(f"{place}: low", entry.get("low"), wrong)
        label = _text(f"{place}: label", entry.get("label"), MAX_LABEL, wrong)
        meaning = _text(f"{place}: meaning", entry.get("meaning"), MAX_MEANING, wrong)
        levels.append(Level(math.nan if start is None else start, label, meaning))
    starts = [level.low for level in levels]
    if not any(map(math.isnan, (*starts, low, high))):
        if starts != sorted(set(starts), reverse=True):
            wrong.append(Message(N_("{key}: each level must begin below the one before it"), key=key))
        if min(starts) != low or max(starts) > high:
            text = N_("{key}: the lowest level must begin at {low}, and none above {high}")
            wrong.append(Message(text, key=key, low=f"{low:g}", high=f"{high:g}"))
    return tuple(levels)


def _marks(raw: Any, wrong: list[str]) -> tuple[str, ...]:
    kinds = list(dict(MARKS))
    if not isinstance(raw, list) or any(kind not in kinds for kind in raw) or len(set(raw)) < len(raw):
        wrong.append(Message(N_("marks is a list of kinds, each once: {kinds}"), kinds=", ".join(kinds)))
        return ()
    return tuple(raw)


def _shortcuts(raw: Any, targets: Iterable[str], wrong: list[str]) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, dict):
        wrong.append(Message(N_("keys maps single keys to dimensions or kinds of marks")))
        return ()
    known = list(targets)
    for key, target in raw.items():
        if not isinstance(key, str) or len(key) != 1 or not is_showable(key) or not key.isprintable():
            wrong.append(Message(N_("{key!r} is not a single key"), key=_short(key)))
        elif key in USED_KEYS:
            wrong.append(Message(N_("the key {key!r} is the form's or the player's; use a capital letter"), key=key))
        if target not in known:
            text = N_("the key {key!r} leads to {target!r}, which is no dimension and no mark that is offered")
            wrong.append(Message(text, key=_short(key), target=_short(target)))
    return tuple((str(key), str(target)) for key, target in raw.items())


def _known_keys(place: str, raw: Mapping[Any, Any], known: tuple[str, ...], wrong: list[str]) -> None:
    for key in raw:
        if key not in known:
            text = N_("there is no key {key!r} (known: {known})")
            if place:
                text = N_("{place}: there is no key {key!r} (known: {known})")
            wrong.append(Message(text, place=place, key=_short(key), known=", ".join(known)))


def _number(place: str, raw: Any, wrong: list[str]) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not abs(raw) <= 1e6:
        wrong.append(Message(N_("{place} is a number, got {value}"), place=place, value=_short(raw)))
        return None
    return float(raw)


def _text(place: str, raw: Any, longest: int, wrong: list[str]) -> str:
    """A text, or a `Multilingual` of a mapping by language."""
    texts = raw if isinstance(raw, dict) else {"en": raw}
    good = texts and all(
        is_language_code(language) and isinstance(text, str)
        and 0 < len(" ".join(text.split())) <= longest and is_showable(text)
        for language, text in texts.items()
    )  # fmt: skip
    if not good:
        text = N_("{place} has 1 to {n} characters that can be shown, or that in several languages by their codes")
        wrong.append(Message(text, place=place, n=str(longest)))
        return ""
    cleaned = {language: " ".join(text.split()) for language, text in texts.items()}
    return Multilingual(cleaned) if isinstance(raw, dict) else cleaned["en"]


def _short(value: Any) -> str:
    """What stands there, where it is short enough to show."""
    return (
        value[:60]
        if isinstance(value, str)
        else type(value).__name__
        if isinstance(value, dict | list)
        else f"{value:.3g}"
        if isinstance(value, float)
        else str(value)[:60]
        if not isinstance(value, int) or abs(value) < 10**60
        else Message(N_("a number too large to show"))
    )
