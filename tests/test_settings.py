"""Settings come from the environment, with defaults under the checkout."""

from pathlib import Path

from pipeline.settings import CHECKOUT, Settings


def test_defaults_lie_under_the_checkout() -> None:
    settings = Settings.from_env({})
    assert settings.data_root == CHECKOUT / "data"
    assert settings.models_root == CHECKOUT / "models"
    assert settings.encoder_path is None
    assert settings.device == "cpu"


def test_environment_wins_and_paths_become_absolute(tmp_path: Path) -> None:
    env = {"PRONLAB_DATA_ROOT": str(tmp_path), "PRONLAB_ENCODER_PATH": "enc", "PRONLAB_DEVICE": "cuda"}
    settings = Settings.from_env(env)
    assert settings.data_root == tmp_path
    assert settings.encoder_path == Path("enc").absolute()
    assert settings.device == "cuda"
    assert settings.index_path == tmp_path / "index.sqlite"
