"""Fixtures shared by all tests. Nothing here touches the checkout's own data or models."""

from pathlib import Path

import pytest

from pipeline.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A fresh, empty installation."""
    return Settings(data_root=tmp_path / "data", models_root=tmp_path / "models")
