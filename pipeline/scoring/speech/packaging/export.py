"""Write a trained model as ONNX: what the scorer runs on, without PyTorch.

`listener.onnx` holds the encoder and the CTC head, its matrix products in 8-bit integers where asked; `head.onnx` the
score head, its matrices kept in 8 bits. Between them stands the evidence, in numpy.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.quantisation import keep_in_8_bits
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening.evidence import POOLS, RHYTHM, n_phone_features
from pipeline.scoring.speech.listening.runtime import LISTENER_OUTPUTS
from pipeline.scoring.speech.model_files import HEAD_FILE, LISTENER_FILE
from pipeline.scoring.speech.training.batches import SpeechModel
from pipeline.scoring.speech.training.head import HeadEnsemble, Phones, ScoreHead
from pipeline.scoring.speech.training.network import Listener

OPSET = 18
EXAMPLE_FRAMES, EXAMPLE_PHONES, EXAMPLE_WORDS = 120, 7, 3
HEAD_INPUTS = ("labels", "stress", "place", "states", "evidence", "words", "stats", "rhythm")
HEAD_OUTPUTS = ("phone", "wrong", "word", "utterance")


def export_onnx(model: SpeechModel, folder: Path) -> None:
    """Write both files into `folder`."""
    model.eval()
    _export_listener(model.listener, folder / LISTENER_FILE)
    shape = model.listener.encoder.shape
    export_head(model.head, shape.width, shape.n_states, folder / HEAD_FILE)


class _ListenerGraph(nn.Module):
    """One recording without padding: inputs [1, ..., T] -> log_probs [T', V], layers [n_states, T', W]."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        heard = self.listener(inputs, None)
        return heard.log_probs[0], heard.layers[0]


class _HeadGraph(nn.Module):
    def __init__(self, head: ScoreHead | HeadEnsemble) -> None:
        super().__init__()
        self.head = head

    def forward(
        self, labels: Tensor, stress: Tensor, place: Tensor, states: Tensor, evidence: Tensor, words: Tensor,
        stats: Tensor, rhythm: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        scores = self.head(Phones(labels, stress, place, None, states, evidence, words, stats, rhythm))
        return scores.phone, scores.wrong, scores.word, scores.utterance


def _export_listener(listener: Listener, path: Path) -> None:
    kind = listener.encoder.front_end
    shape = (1, kind.n_mels, 2 * EXAMPLE_FRAMES) if kind.n_mels else (1, 320 * EXAMPLE_FRAMES)
    example = torch.from_numpy(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    time = torch.export.Dim("time", min=16, max=3000 if kind.n_mels else 480_000)
    export_graph(
        _ListenerGraph(listener), (example,), path, ("inputs",), LISTENER_OUTPUTS,
        ({example.ndim - 1: time},),
    )  # fmt: skip


def export_head(head: ScoreHead | HeadEnsemble, width: int, n_states: int, path: Path) -> None:
    n, w, pools = EXAMPLE_PHONES, EXAMPLE_WORDS, len(POOLS)
    example = (
        torch.ones(1, n, dtype=torch.long), torch.zeros(1, n, dtype=torch.long), torch.zeros(1, n, dtype=torch.long),
        torch.randn(1, n, pools, n_states, width), torch.randn(1, n, n_phone_features(len(LABELS))),
        torch.rand(1, w, n), torch.randn(1, 2, n_states, width), torch.randn(1, len(RHYTHM)),
    )  # fmt: skip
    phones, words = (torch.export.Dim(name, min=2, max=4000) for name in ("phones", "words"))
    of_phones = {1: phones}
    shapes = (of_phones, of_phones, of_phones, of_phones, of_phones, {1: words, 2: phones}, None, None)
    export_graph(_HeadGraph(head), example, path, HEAD_INPUTS, HEAD_OUTPUTS, shapes)
    keep_in_8_bits(path)


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
        _without_traces(temporary)


def _without_traces(path: Path) -> None:
    """Rewrite an ONNX file without where in the source each operator was called: the exporter keeps it with the paths
    of this machine, in a fifth of the file."""
    import onnx

    whole = onnx.load(path)
    for part in (whole, whole.graph, *whole.graph.node):
        del part.metadata_props[:]
    onnx.save(whole, path)


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
