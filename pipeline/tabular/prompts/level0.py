"""The rule before any model: what guides to prompting ask for, counted. The baseline that a model must beat."""

from dataclasses import dataclass

from pipeline.tabular.prompts.features import BASE_NAMES, text_features

START = 30.0
POINTS = {
    "says what to do": 12.0, "is long enough to be specific": 14.0, "sets limits": 12.0, "asks for a form": 10.0,
    "says for whom or as whom": 8.0, "says why": 8.0, "gives an example or numbers": 8.0, "is laid out": 6.0,
}  # fmt: skip
VAGUE_COSTS, RAMBLING_COSTS = 15.0, 10.0


@dataclass(frozen=True)
class Level0:
    """`score` 0-100; `met` and `missing` name the rules."""

    score: float
    met: tuple[str, ...]
    missing: tuple[str, ...]


def level0(text: str) -> Level0:
    found = dict(zip(BASE_NAMES, text_features(text).tolist(), strict=False))
    rules = {
        "says what to do": found["instruction_verbs"] > 0,
        "is long enough to be specific": found["n_words"] >= 20,
        "sets limits": found["constraints"] > 0,
        "asks for a form": found["formats"] > 0,
        "says for whom or as whom": found["audience"] + found["roles"] > 0,
        "says why": found["reasons"] > 0,
        "gives an example or numbers": found["examples"] + found["numbers"] + found["quotes"] > 0,
        "is laid out": found["n_lines"] > 2 or found["list_items"] > 0,
    }
    score = START + sum(POINTS[name] for name, met in rules.items() if met)
    score -= VAGUE_COSTS * min(1.0, 10 * found["vague_share"])
    score -= RAMBLING_COSTS * (found["words_per_sentence"] > 40)
    met = tuple(name for name, true in rules.items() if true)
    return Level0(max(0.0, min(100.0, score)), met, tuple(name for name in rules if name not in met))
