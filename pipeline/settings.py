"""Where this installation keeps things, from `PRONLAB_*` environment variables.

In a checkout everything has its default place under it. An installed package has its released models and demo corpus
beside it (`share/pronlab`), and keeps what people make in the user's data folder.
"""

import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

CHECKOUT = Path(__file__).resolve().parent.parent  # the folder of the packages, also where there is no checkout
IS_CHECKOUT = (CHECKOUT / "pyproject.toml").is_file()
SHIPPED = CHECKOUT if IS_CHECKOUT else Path(sysconfig.get_path("data")) / "share" / "pronlab"
HOME = CHECKOUT if IS_CHECKOUT else platformdirs.user_data_path("pronlab", appauthor=False)


@dataclass(frozen=True)
class Settings:
    """Roots and defaults of one installation.

    `data_root` holds recordings, labels and the index; `models_root` holds released and deployed models and runs;
    `encoder_path` is a local folder with a Hugging Face speech encoder, or None where there is none. `device` is where
    trainings run; `scoring_device` where a speech language model answers, found by itself where it is `auto`.
    """

    data_root: Path
    models_root: Path
    encoder_path: Path | None = None
    device: str = "cpu"
    scoring_device: str = "auto"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read `PRONLAB_DATA_ROOT`, `PRONLAB_MODELS_ROOT`, `PRONLAB_ENCODER_PATH` and `PRONLAB_DEVICE`."""
        env = os.environ if environ is None else environ
        encoder = env.get("PRONLAB_ENCODER_PATH")
        return cls(
            data_root=Path(env.get("PRONLAB_DATA_ROOT") or HOME / "data").expanduser().absolute(),
            models_root=Path(env.get("PRONLAB_MODELS_ROOT") or HOME / "models").expanduser().absolute(),
            encoder_path=Path(encoder).expanduser().absolute() if encoder else None,
            device=env.get("PRONLAB_DEVICE") or "cpu",
        )

    @property
    def demo_source(self) -> Path:
        """The committed synthetic corpus; read-only, copied into `sets_root` by `pronlab demo`."""
        return SHIPPED / "data" / "demo"

    @property
    def released_models(self) -> Path:
        """The committed model folders; used wherever nothing is deployed over them."""
        return SHIPPED / "models"

    @property
    def sets_root(self) -> Path:
        return self.data_root / "sets"

    @property
    def index_path(self) -> Path:
        return self.data_root / "index.sqlite"

    @property
    def predictions_root(self) -> Path:
        return self.data_root / "predictions"

    @property
    def alignments_root(self) -> Path:
        return self.data_root / "alignments"

    @property
    def evaluations_root(self) -> Path:
        return self.data_root / "evaluations"

    @property
    def attempts_root(self) -> Path:
        return self.data_root / "attempts"

    @property
    def features_root(self) -> Path:
        return self.data_root / "features"

    @property
    def jobs_root(self) -> Path:
        """Run directories of background work that is not training (imports, batch scoring, feature extraction)."""
        return self.data_root / "jobs"

    @property
    def shards_root(self) -> Path:
        """Work that is spread over jobs, until its answers are joined; on a cluster, a disk that its nodes share."""
        return self.data_root / "shards"

    @property
    def runs_root(self) -> Path:
        return self.models_root / "runs"

    @property
    def deployed_root(self) -> Path:
        return self.models_root / "deployed"
