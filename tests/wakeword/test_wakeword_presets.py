"""Settings in groups, and presets that people save."""

from pathlib import Path

import pytest

from pipeline.errors import TrainingError
from pipeline.presets import build, field_types
from pipeline.settings import Settings
from pipeline.wakeword.config import WakewordConfig, list_presets
from pipeline.wakeword.saved_presets import delete_preset, folder, load_preset, save_preset, saved_presets
from pipeline.wakeword.setting_groups import GROUPS, settings_of, value_of

ASKED_APART = ("name", "word", "seed", "data")


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "data", tmp_path / "models")


def test_every_setting_has_a_field_in_one_group() -> None:
    sections = {name: kind for name, kind in field_types(WakewordConfig).items() if name not in ASKED_APART}
    wanted = sorted(f"{section}.{name}" for section, kind in sections.items() for name in field_types(kind))
    assert sorted(setting.key for group in GROUPS for setting in settings_of(group)) == wanted


def test_fields_know_types_limits_and_choices() -> None:
    settings = {setting.key: setting for group in GROUPS for setting in settings_of(group)}
    assert settings["train.steps"].kind is int
    assert settings["train.rate"].limits == (1e-6, 1)
    assert settings["loss.name"].choices == ("cross_entropy", "focal", "triplet", "arcface")
    assert settings["train.ema"].kind is bool
    for setting in settings.values():  # the defaults lie within what the fields take
        value = value_of(WakewordConfig(), setting.key)
        assert setting.limits is None or setting.limits[0] <= value <= setting.limits[1], setting.key


def test_a_saved_preset_comes_back_and_goes(installation: Settings) -> None:
    chosen = build(
        WakewordConfig, {"name": "run", "seed": 3, "train": {"steps": 7, "ema": False}, "loss": {"gamma": 3.0}}
    )
    assert save_preset(installation, " quick one ", chosen) == "quick one"
    assert save_preset(installation, "Quick  One", chosen) == "quick one", "one preset in any capitals"
    assert saved_presets(installation) == ["quick one"]
    assert load_preset(installation, "quick one") == {"train": {"steps": 7, "ema": False}, "loss": {"gamma": 3.0}}
    assert load_preset(installation, "tiny")["train"]["steps"] == 60
    delete_preset(installation, "quick one")
    assert saved_presets(installation) == []


@pytest.mark.parametrize("name", ["", "a/b", "../up", "x" * 61, "default", "TINY"])
def test_refuses_a_name_that_cannot_be_one(installation: Settings, name: str) -> None:
    with pytest.raises(TrainingError):
        save_preset(installation, name, WakewordConfig())


def test_says_which_presets_there_are_and_what_is_damaged(installation: Settings) -> None:
    save_preset(installation, "mine", WakewordConfig())
    assert load_preset(installation, "mine") == {}
    with pytest.raises(TrainingError, match=f"Unknown preset 'other'; known: {', '.join(list_presets())}, mine"):
        load_preset(installation, "other")
    (folder(installation) / "mine.yaml").write_text("- no mapping", encoding="utf-8")
    with pytest.raises(TrainingError, match="cannot be read"):
        load_preset(installation, "mine")
