"""The released models and the rule answer as they did when they were released.

A difference means that features, rule or weights have changed: raise the version, train and release anew, and write
the file again (`python -m tests.scoring.test_regression_scores`).
"""

import json

import pytest

from pipeline.records import RubricName, Target
from pipeline.scoring.base import score_file
from pipeline.scoring.selection import load_scorer
from pipeline.settings import CHECKOUT, Settings

REGRESSION = CHECKOUT / "tests" / "regression" / "scores.json"
CASES = {
    "heuristic": ("word", ("masa", "çiçek", "yıldız", "pencere")),
    "acoustic57": ("word", ("masa", "çiçek", "yıldız", "pencere")),
    "reference": ("word", ("masa", "çiçek", "yıldız", "pencere")),
    "timing": ("sentence", ("masa", "pencere")),
}


def answers(settings: Settings, name: str) -> dict[str, object]:
    rubric, words = CASES[name]
    scorer = load_scorer(settings, name, RubricName(rubric))
    scores = {}
    for word in words:
        for folder in ("references", "participant_05/kelimeler"):
            path = next((CHECKOUT / "data" / "demo" / folder).glob(f"*{word}.wav"))
            language = "tr" if rubric == "word" else "en"
            scores[f"{folder}/{word}"] = score_file(scorer, path, Target(word, language, RubricName(rubric))).overall
    return {"model_id": scorer.model_id, "scores": scores}


@pytest.mark.parametrize("name", CASES)
def test_scores_have_not_changed_unnoticed(settings: Settings, name: str) -> None:
    known = json.loads(REGRESSION.read_text(encoding="utf-8"))[name]
    found = answers(settings, name)
    assert found["model_id"] == known["model_id"]
    assert found["scores"] == pytest.approx(known["scores"], abs=0.5)


if __name__ == "__main__":
    installation = Settings(CHECKOUT / "data", CHECKOUT / "models")
    content = {name: answers(installation, name) for name in CASES}
    REGRESSION.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
