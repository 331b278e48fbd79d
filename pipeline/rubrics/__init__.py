"""Rubrics: how experts rate. Each is a YAML file (`files`); those of an installation are in its `library`.

Two come with Pronlab, one for words and one for sentences. A recording's `rubric` says which of the two it is read as:
that decides which scorers answer, and experts rate it with the rubric of that name unless its set, or a project, names
another one of the same unit.
"""

from pathlib import Path

from pipeline.records import RubricName
from pipeline.rubrics.files import parse
from pipeline.rubrics.rubric import MARKS, Dimension, Level, Rubric

__all__ = ["MARKS", "RUBRICS", "Dimension", "Level", "Rubric"]

SHIPPED = Path(__file__).parent

RUBRICS: dict[RubricName, Rubric] = {name: parse((SHIPPED / f"{name}.yaml").read_bytes()) for name in RubricName}
