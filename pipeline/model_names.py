"""Short names for models: ids without the hash that training puts at their end; labels that fit beside figures."""

import re
from collections import Counter
from collections.abc import Iterable

PRONLAB = "Pronlab"  # the speech model that comes with it
LONGEST_LABEL, END = 20, 8
_HASH = re.compile(r"-[0-9a-f]{8}$")
_ANY_HASH = re.compile(r"-[0-9a-f]{8}(?=-|$)")


def short_name(model_id: str) -> str:
    return _HASH.sub("", model_id)


def short_names(model_ids: Iterable[str]) -> dict[str, str]:
    """By id: its name without the hash, or the whole id where two would share that name."""
    unique = list(dict.fromkeys(model_ids))
    counts = Counter(map(short_name, unique))
    return {model_id: short if counts[short := short_name(model_id)] == 1 else model_id for model_id in unique}


def label(model_id: str) -> str:
    """For where figures must have room, on a phone too: without hashes and the kind before it; the middle of a long one
    is left out."""
    bare = _ANY_HASH.sub("", model_id).removeprefix("speech-")
    return bare if len(bare) <= LONGEST_LABEL else f"{bare[: LONGEST_LABEL - END - 1]}…{bare[-END:]}"


def unlike(labels: Iterable[str]) -> list[str]:
    """Each once: later ones of the same text get a number."""
    seen: Counter[str] = Counter()
    texts = []
    for text in labels:
        seen[text] += 1
        texts.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return texts
