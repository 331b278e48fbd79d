"""Architectures by name, all of one shape (`base.WakewordModel`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn

from pipeline.errors import TrainingError
from pipeline.i18n import N_
from pipeline.wakeword.config import ModelConfig
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.models.base import Network, WakewordModel
from pipeline.wakeword.models.bc_resnet import BcResNet
from pipeline.wakeword.models.branched import Branched
from pipeline.wakeword.models.images import MobileNetV3, ResNet
from pipeline.wakeword.models.recurrent import Recurrent
from pipeline.wakeword.models.small import CdDnn, TinyConv
from pipeline.wakeword.models.streaming import StreamingConv
from pipeline.wakeword.models.tcn import Tcn

ARCHITECTURES: dict[str, Callable[[tuple[int, int], Cmvn, float, float], Network]] = {
    "tcn": Tcn,
    "tiny_conv": TinyConv,
    "cd_dnn": CdDnn,
    "lstm": partial(Recurrent, nn.LSTM),
    "gru": partial(Recurrent, nn.GRU),
    "bc_resnet": BcResNet,
    "mobilenet_v3": MobileNetV3,
    "stream": StreamingConv,
    "resnet18": partial(ResNet, 18),
    "resnet34": partial(ResNet, 34),
}


@contextmanager
def for_windows(name: str, shape: tuple[int, int]) -> Iterator[None]:
    """Raises TrainingError where PyTorch finds sizes below 0, of convolutions and states."""
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            N_(
                "{name} cannot hear windows of {n_frames} frames and {n_bins} bins. Choose another model.name, or a "
                "longer features.clip_s."
            ),
            name=name,
            n_frames=shape[0],
            n_bins=shape[1],
        ) from error


def make_model(config: ModelConfig, features: FeatureConfig, cmvn: Cmvn, n_words: int = 1) -> WakewordModel:
    """For windows [frames, bins] of `features`, with a network for each of their parts; with a logit for each of
    `n_words`. Raises TrainingError for windows that are too short or have too few bins for it."""
    networks: list[Network] = []
    first = 0
    for part in features.parts:
        bins = slice(first, first + part.n_bins)
        shape = features.shape[0], part.n_bins
        of_part = Cmvn(cmvn.mean[bins], cmvn.std[bins])
        with for_windows(config.name, shape):
            network = ARCHITECTURES[config.name](shape, of_part, config.width, config.dropout)
        if n_words > 1:
            network.head = nn.Linear(network.head.in_features, n_words)
        networks.append(network)
        first = bins.stop
    return networks[0] if len(networks) == 1 else Branched(networks, cmvn)


__all__ = ["ARCHITECTURES", "WakewordModel", "make_model"]
