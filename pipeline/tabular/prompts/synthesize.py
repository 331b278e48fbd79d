"""Make a synthetic set of prompts with made-up scores: enough to walk the whole way with, and to test that it learns.

Nobody wrote them and nobody rated them. A prompt is put together from parts that a hidden quality makes more or less
likely; the score is that quality with an author's habit and the noise of three made-up raters.
"""

import numpy as np

from pipeline.tabular.prompts.store import Prompt

N, AUTHORS, RATERS = 360, 24, 3
RATER_STD, AUTHOR_STD = 6.0, 4.0
RATER = "made up"
VERBS = ("Write", "Explain", "Summarise", "Compare", "List", "Draft", "Suggest", "Describe")
WHAT = (
    "a product description of a bicycle lamp", "how a heat pump works", "the minutes of our last meeting",
    "two database engines", "names for a bakery", "an e-mail that declines an offer", "a plan for learning Turkish",
    "the causes of the French Revolution", "a lesson on fractions", "the safety rules of a laboratory",
)  # fmt: skip
VAGUE = ("make it good", "something nice about it", "some stuff, you know", "whatever you think is better")
LIMITS = ("Use at most {n} words.", "Give exactly {k} points.", "Do not use jargon.", "Only use facts from the text.")
FORMS = (
    "Answer as a table.",
    "Use bullets.",
    "Write two short paragraphs.",
    "Return JSON with the keys title and body.",
)
READERS = (
    "It is for a class of beginners.",
    "The readers are customers who know nothing of it.",
    "You are a patient teacher.",
)
REASONS = ("The goal is to save our support team time.", "I need it because the old one was too long.")
EXAMPLES = ("For example: “Light that lasts 20 hours”.", "Follow the style of this line: “Short, warm, precise”.")
FILLER = ("Please do this for me if you can.", "Thank you very much in advance.", "It is about things we talked about.")


def synthesize(n: int = N, seed: int = 0) -> list[Prompt]:
    """The same seed gives the same prompts."""
    draw = np.random.default_rng(seed)
    habits = draw.normal(0.0, AUTHOR_STD, AUTHORS)
    prompts = []
    for number in range(n):
        author = int(draw.integers(AUTHORS))
        quality = float(draw.beta(1.6, 1.4))
        text, worth = _text(draw, quality)
        true = 18.0 + 72.0 * worth + habits[author]
        score = float(np.clip(np.mean(true + draw.normal(0.0, RATER_STD, RATERS)), 0.0, 100.0))
        prompts.append(
            Prompt(f"synthetic-{number:04}", text, f"author {author + 1:02}", round(score, 1), RATER, "synthetic")
        )
    return prompts


def _text(draw: np.random.Generator, quality: float) -> tuple[str, float]:
    """A prompt, and its worth (0-1): what it says, less what is vague, with a little for limits and form together."""

    def pick(parts: tuple[str, ...]) -> str:
        return str(parts[draw.integers(len(parts))])

    def has(chance: float) -> bool:
        return bool(draw.random() < chance)

    vague = has(0.7 * (1 - quality))
    sentences = [
        f"{pick(VERBS)} {pick(WHAT)}." if not vague or has(0.5) else f"{pick(WHAT).capitalize()}, {pick(VAGUE)}."
    ]
    limits, form, reader, reason, example = (has(chance * quality + 0.05) for chance in (0.9, 0.8, 0.8, 0.6, 0.5))
    if limits:
        sentences.append(pick(LIMITS).format(n=int(draw.integers(5, 30)) * 10, k=int(draw.integers(3, 8))))
    sentences += [
        pick(parts)
        for parts, there in ((FORMS, form), (READERS, reader), (REASONS, reason), (EXAMPLES, example))
        if there
    ]
    if has(0.5 * (1 - quality)):
        sentences.append(pick(FILLER))
    laid_out = len(sentences) > 3 and has(0.5)
    worth = 0.3 + 0.16 * limits + 0.13 * form + 0.12 * reader + 0.08 * reason + 0.08 * example
    worth += 0.08 * (limits and form) + 0.05 * laid_out - 0.22 * vague
    return ("\n- " if laid_out else " ").join(sentences), float(np.clip(worth, 0.0, 1.0))
