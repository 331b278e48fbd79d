"""The rule before any model: what guides to prompting ask for, counted. The baseline that a model must beat."""

from dataclasses import dataclass

from pipeline.i18n import N_
from pipeline.tabular.prompts.features import BASE_NAMES, base_features

START = 30.0
POINTS = {
    N_("an instruction"): 12.0, N_("enough detail"): 14.0, N_("limits"): 12.0, N_("a format"): 10.0,
    N_("an audience or a role"): 8.0, N_("a reason"): 8.0, N_("an example or numbers"): 8.0, N_("a layout"): 6.0,
}  # fmt: skip
VAGUE_COSTS, RAMBLING_COSTS = 15.0, 10.0


@dataclass(frozen=True)
class Level0:
    """`score` 0-100; `met` and `missing` name what the prompt has and lacks (see POINTS)."""

    score: float
    met: tuple[str, ...]
    missing: tuple[str, ...]


def level0(text: str) -> Level0:
    counts = dict(zip(BASE_NAMES, base_features(text), strict=True))
    rules = {
        "an instruction": counts["instruction_verbs"] > 0,
        "enough detail": counts["n_words"] >= 20,
        "limits": counts["constraints"] > 0,
        "a format": counts["formats"] > 0,
        "an audience or a role": counts["audience"] + counts["roles"] > 0,
        "a reason": counts["reasons"] > 0,
        "an example or numbers": counts["examples"] + counts["numbers"] + counts["quotes"] > 0,
        "a layout": counts["n_lines"] > 2 or counts["list_items"] > 0,
    }
    score = START + sum(POINTS[name] for name, met in rules.items() if met)
    score -= VAGUE_COSTS * min(1.0, 10 * counts["vague_share"])
    score -= RAMBLING_COSTS * (counts["words_per_sentence"] > 40)
    met = tuple(name for name, true in rules.items() if true)
    return Level0(max(0.0, min(100.0, score)), met, tuple(name for name in rules if name not in met))
