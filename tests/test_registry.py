"""Names that nobody registered are answered with those that are."""

import pytest

from pipeline.errors import UnknownNameError
from pipeline.registry import Registry


def test_unknown_names_list_the_known_and_guess() -> None:
    registry: Registry[int] = Registry("scorer")
    registry.register("heuristic")(1)
    registry.register("acoustic57")(2)
    with pytest.raises(
        UnknownNameError, match=r"'acoustic75'; known: acoustic57, heuristic\. Did you mean 'acoustic57'"
    ):
        registry["acoustic75"]
    assert list(registry) == ["acoustic57", "heuristic"]
    assert "heuristic" in registry


def test_a_name_is_used_once() -> None:
    registry: Registry[int] = Registry("scorer")
    registry.register("a")(1)
    with pytest.raises(ValueError, match="twice"):
        registry.register("a")(2)
