"""A rubric of an installation's own: three dimensions from 1 to 5."""

import json
from typing import Any

from pipeline.rubrics import Rubric
from pipeline.rubrics.files import parse


def _dimension(key: str, label: str) -> dict[str, Any]:
    return {
        "key": key, "label": label, "low": 1, "high": 5, "step": 1,
        "levels": [
            {"low": 4, "label": "Clear", "meaning": "nothing is unclear"},
            {"low": 2, "label": "Partly", "meaning": "some of it is unclear"},
            {"low": 1, "label": "Unclear", "meaning": {"en": "most of it is unclear", "tr": "çoğu anlaşılmıyor"}},
        ],
    }  # fmt: skip


CLARITY: dict[str, Any] = {
    "name": "clarity",
    "unit": "sentence",
    "title": {"en": "Clarity", "tr": "Açıklık"},
    "overall": "mean",
    "digits": "values",
    "dimensions": [_dimension("sounds", "Sounds"), _dimension("speed", "Speed"), _dimension("ease", "Ease")],
    "marks": ["mispronounced", "missing"],
    "keys": {"X": "sounds", "G": "missing"},
}


def clarity(**changes: Any) -> Rubric:
    return parse(json.dumps({**CLARITY, **changes}).encode())
