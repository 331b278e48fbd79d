"""What a prompt has and lacks, in words: clarity, specificity, and what to improve first.

Both are counted by rules, as nobody rates them apart: a model learns the overall score alone. The same text always gets
the same analysis, whichever model scores it.
"""

from dataclasses import dataclass

from pipeline.i18n import N_
from pipeline.tabular.prompts.features import BASE_NAMES, base_features
from pipeline.tabular.prompts.level0 import level0

CLARITY, SPECIFICITY = "clarity", "specificity"
LONG_SENTENCE = 25.0  # words; readers begin to lose the thread (Cutts, Oxford Guide to Plain English)
HARD_GRADE = 12.0  # years of school that the Kincaid formula asks for
MANY_VAGUE = 0.05  # of the words


@dataclass(frozen=True)
class Improvement:
    """One thing to do, the `aspect` that it raises, and by how many of that aspect's 100 points at most."""

    aspect: str
    text: str
    points: float


@dataclass(frozen=True)
class PromptAnalysis:
    """`clarity` and `specificity` 0-100 by rules; `rule` is the overall score of level 0. `present` and `missing` name
    its rules; `improvements` are what to do, the most useful first."""

    rule: float
    clarity: float
    specificity: float
    present: tuple[str, ...]
    missing: tuple[str, ...]
    improvements: tuple[Improvement, ...]


# What raises an aspect and its share of the aspect's 100 points. Those with a rule of level 0 carry its name.
CLARITY_POINTS = {
    "an instruction": 35.0, "plain words": 20.0, "short sentences": 20.0, "easy reading": 10.0, "a reason": 10.0,
    "a layout": 5.0,
}  # fmt: skip
SPECIFICITY_POINTS = {
    "limits": 25.0, "enough detail": 20.0, "a format": 20.0, "an audience or a role": 20.0,
    "an example or numbers": 15.0,
}  # fmt: skip
ADVICE = {
    "an instruction": N_("Say what to do: begin with a verb such as “Explain”, “List” or “Compare”."),
    "plain words": N_("Replace vague words such as “something”, “stuff” or “good” by what you mean."),
    "short sentences": N_("Break long sentences up: at most 25 words each."),
    "easy reading": N_("Use shorter, more common words."),
    "a reason": N_("Say what the answer is for."),
    "a layout": N_("Put several requirements into a list, one per line."),
    "limits": N_("Set limits: a length, a number of points, what to leave out."),
    "enough detail": N_("Give more detail: 20 words or more."),
    "a format": N_("Name the form of the answer: a table, a list, two paragraphs."),
    "an audience or a role": N_("Say who will read the answer, or whom it should speak as."),
    "an example or numbers": N_("Add an example, a quotation or a number."),
}  # fmt: skip


def analyse(text: str) -> PromptAnalysis:
    counts = dict(zip(BASE_NAMES, base_features(text), strict=True))
    rules = level0(text)
    met = dict.fromkeys(rules.met, True) | {
        "plain words": counts["vague_share"] < MANY_VAGUE,
        "short sentences": counts["words_per_sentence"] <= LONG_SENTENCE,
        "easy reading": counts["flesch_kincaid_grade"] <= HARD_GRADE,
    }  # fmt: skip
    if not counts["n_words"]:  # nothing was written, so nothing is plain
        met = {}
    improvements = [
        Improvement(aspect, ADVICE[name], points)
        for aspect, weights in ((CLARITY, CLARITY_POINTS), (SPECIFICITY, SPECIFICITY_POINTS))
        for name, points in weights.items()
        if not met.get(name)
    ]
    return PromptAnalysis(
        rules.score, _share(CLARITY_POINTS, met), _share(SPECIFICITY_POINTS, met), rules.met, rules.missing,
        tuple(sorted(improvements, key=lambda improvement: -improvement.points)),
    )  # fmt: skip


def _share(points: dict[str, float], met: dict[str, bool]) -> float:
    return sum(worth for name, worth in points.items() if met.get(name))
