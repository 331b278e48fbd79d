"""Write a trained model as ONNX: what the scorer runs on, without PyTorch.

`listener.onnx` holds the encoder and the CTC head, its matrix products in 8-bit integers where asked; `head.onnx` the
score head. Between them stands the evidence, in numpy.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.errors import ModelError
from pipeline.optional import require
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening.evidence import n_phone_features
from pipeline.scoring.speech.model_files import HEAD_FILE, LISTENER_FILE
from pipeline.scoring.speech.training.batches import SpeechModel
from pipeline.scoring.speech.training.network import Listener, Phones, ScoreHead

OPSET = 18
EXAMPLE_FRAMES, EXAMPLE_PHONES, EXAMPLE_WORDS = 120, 7, 3
HEAD_INPUTS = ("states", "stats", "labels", "stress", "place", "evidence", "pooling", "words", "rhythm")
HEAD_OUTPUTS = ("phone", "wrong", "word", "utterance")


def require_export() -> None:
    """Raises ModelError where the packages that write ONNX are missing."""
    require("Exporting", ("onnx", "onnxscript"), ModelError)


def export_onnx(model: SpeechModel, folder: Path) -> None:
    """Write both files into `folder`. Raises ModelError where the packages for it are missing."""
    require_export()
    model.eval()
    _export_listener(model.listener, folder / LISTENER_FILE)
    _export_head(model.head, model.listener.encoder.shape.width, folder / HEAD_FILE)


class _ListenerGraph(nn.Module):
    """One recording without padding: inputs [1, ..., T] -> log_probs [T', V], states [T', W], stats [2W]."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        heard = self.listener(inputs, None)
        return heard.log_probs[0], heard.states[0], heard.stats[0]


class _HeadGraph(nn.Module):
    def __init__(self, head: ScoreHead) -> None:
        super().__init__()
        self.head = head

    def forward(
        self, states: Tensor, stats: Tensor, labels: Tensor, stress: Tensor, place: Tensor, evidence: Tensor,
        pooling: Tensor, words: Tensor, rhythm: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        phones = Phones(labels, stress, place, None, evidence, pooling, words, rhythm)
        scores = self.head(states, stats, phones)
        return scores.phone, scores.wrong, scores.word, scores.utterance


def _export_listener(listener: Listener, path: Path) -> None:
    kind = listener.encoder.front_end
    shape = (1, kind.n_mels, 2 * EXAMPLE_FRAMES) if kind.n_mels else (1, 320 * EXAMPLE_FRAMES)
    example = torch.from_numpy(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    time = torch.export.Dim("time", min=16, max=3000 if kind.n_mels else 480_000)
    export_graph(
        _ListenerGraph(listener), (example,), path, ("inputs",), ("log_probs", "states", "stats"),
        ({example.ndim - 1: time},),
    )  # fmt: skip


def _export_head(head: ScoreHead, width: int, path: Path) -> None:
    n, w, t = EXAMPLE_PHONES, EXAMPLE_WORDS, EXAMPLE_FRAMES
    example = (
        torch.randn(1, t, width), torch.randn(1, 2 * width), torch.ones(1, n, dtype=torch.long),
        torch.zeros(1, n, dtype=torch.long), torch.zeros(1, n, dtype=torch.long),
        torch.randn(1, n, n_phone_features(len(LABELS))), torch.rand(1, n, t), torch.rand(1, w, n),
        torch.randn(1, head.n_rhythm),
    )  # fmt: skip
    frames, phones, words = (torch.export.Dim(name, min=2, max=4000) for name in ("frames", "phones", "words"))
    shapes = (
        {1: frames}, None, {1: phones}, {1: phones}, {1: phones}, {1: phones}, {1: phones, 2: frames},
        {1: words, 2: phones}, None,
    )  # fmt: skip
    export_graph(_HeadGraph(head), example, path, HEAD_INPUTS, HEAD_OUTPUTS, shapes)


def export_graph(
    graph: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    shapes: Any,
) -> None:
    """Write `graph` as ONNX with its inputs and outputs named; `shapes` names the axes that vary."""
    with artifacts.replacing(path) as temporary, warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(), example, temporary, input_names=list(inputs), output_names=list(outputs),
            opset_version=OPSET, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False,
        )  # fmt: skip


def agreement(model: SpeechModel, folder: Path, inputs: np.ndarray) -> float:
    """Largest difference in log posteriors between PyTorch and the exported listener on `inputs`, where either gives
    a label more than 1 %."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / LISTENER_FILE, providers=["CPUExecutionProvider"])
    exported = session.run(["log_probs"], {"inputs": inputs[None]})[0]
    with torch.inference_mode():
        ours = model.listener(torch.from_numpy(inputs[None]), None).log_probs[0].numpy()
    likely = np.maximum(exported, ours) > np.log(0.01)
    return float(np.abs(exported - ours)[likely].max())
