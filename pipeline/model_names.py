"""Short names for models: ids without the hash that training puts at their end."""

import re
from collections import Counter
from collections.abc import Iterable

_HASH = re.compile(r"-[0-9a-f]{8}$")


def short_name(model_id: str) -> str:
    return _HASH.sub("", model_id)


def short_names(model_ids: Iterable[str]) -> dict[str, str]:
    """By id: its name without the hash, or the whole id where two would share that name."""
    unique = list(dict.fromkeys(model_ids))
    counts = Counter(map(short_name, unique))
    return {model_id: short if counts[short := short_name(model_id)] == 1 else model_id for model_id in unique}
