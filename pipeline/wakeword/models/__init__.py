"""Architectures by name, all of one shape (`base.WakewordModel`)."""

from collections.abc import Callable
from functools import partial

from torch import nn

from pipeline.wakeword.config import ModelConfig
from pipeline.wakeword.features import Cmvn
from pipeline.wakeword.models.base import WakewordModel
from pipeline.wakeword.models.bc_resnet import BcResNet
from pipeline.wakeword.models.images import MobileNetV3, ResNet
from pipeline.wakeword.models.recurrent import Recurrent
from pipeline.wakeword.models.small import CdDnn, TinyConv
from pipeline.wakeword.models.streaming import StreamingConv
from pipeline.wakeword.models.tcn import Tcn

ARCHITECTURES: dict[str, Callable[[tuple[int, int], Cmvn, float, float], WakewordModel]] = {
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


def make_model(config: ModelConfig, shape: tuple[int, int], cmvn: Cmvn, n_words: int = 1) -> WakewordModel:
    """For windows of `shape` [frames, bins]; with a logit for each of `n_words`."""
    model = ARCHITECTURES[config.name](shape, cmvn, config.width, config.dropout)
    if n_words > 1:
        model.head = nn.Linear(model.head.in_features, n_words)
    return model


__all__ = ["ARCHITECTURES", "WakewordModel", "make_model"]
