"""The judge of phones for a bundle: the speech scorer's listener from sound on, and what was learnt of the word.

judge.onnx    `sound` [n_samples] at 16 kHz, at least .1 s, to `log_probs` [T, V] of phones and `states` [T, width];
              level and front end are in the graph
judge.f32     little-endian floats: `mean`, `weights`, `phone_weights`, `bias`, `phone_bias` (`runner.WordWeights`)
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.features.log_mel import FFT_SIZE, HOP, SAMPLE_RATE_HZ
from pipeline.features.mel import mel_filters
from pipeline.i18n import N_
from pipeline.onnx_graphs import open_graph
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening.runtime import LISTENER_OUTPUTS, ListenerRuntime
from pipeline.scoring.speech.model_files import LISTENER_FILE
from pipeline.scoring.speech.placing import LEVEL_DB, LEVEL_FRAME, LOUD_DB, at_one_level
from pipeline.wakeword.file_names import JUDGE_MODEL, JUDGE_WEIGHTS
from pipeline.wakeword.learnt_word import LearntWord
from pipeline.wakeword.owner.voice import WORD_STATE
from pipeline.wakeword.packaging.sound_graph import graph_of, joined, power_of, rename, waves_of
from pipeline.wakeword.phone_judge import PhoneJudge
from pipeline.wakeword.runtime.runner import JUDGED_S

if TYPE_CHECKING:
    from torch import Tensor

LISTENER = "listener/"
CLOSE = 0.001  # of what the listener reads: sums of sines are no FFT


def learnt_by(judge: PhoneJudge) -> LearntWord:
    """Raises ModelError for a word that has not been learnt: a bundle takes no dictionary along."""
    if judge.learnt is None:
        raise ModelError(
            N_("Nothing has been learnt of {word!r}: run `pronlab wakeword learn-phones RUN {word}` first."),
            word=judge.word,
        )
    return judge.learnt


def files_of(judge: PhoneJudge) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files, and what detector.json says of them. Raises ModelError for a word that has not been learnt, for a
    listener of waveforms, and where the graph does not hear what the listener hears."""
    learnt = learnt_by(judge)
    files = {JUDGE_MODEL: _graph(judge.source), JUDGE_WEIGHTS: _values(learnt)}
    phones_weight, learnt_weight = judge.weights
    about = {
        "word": learnt.word, "ways": learnt.ways, "first_threshold": learnt.first_threshold, "limit": judge.limit,
        "phones_weight": phones_weight, "learnt_weight": learnt_weight, "learnt_from": learnt.learnt_from,
        "listener_sha256": learnt.listener_sha256,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }  # fmt: skip
    return files, about


def _values(learnt: LearntWord) -> bytes:
    weights = learnt.weights
    parts = (weights.mean, weights.weights, weights.phone_weights, [weights.bias], weights.phone_bias)
    return np.concatenate(parts).astype("<f4").tobytes()


def _graph(folder: Path) -> bytes:
    """The front end and the listener as one graph, checked on noise of three lengths."""
    import onnx
    from onnx import helper

    runtime = ListenerRuntime(folder)
    if runtime.front_end.kind != "log_mel":
        raise ModelError(
            N_(
                "The listener in {folder} reads waveforms; a bundle takes one that reads log-mel frames. Use "
                "`pronlab wakeword listen --phones` with it."
            ),
            folder=str(folder),
        )
    listener = onnx.load(str(folder / LISTENER_FILE))
    (opset,) = [entry.version for entry in listener.opset_import if entry.domain in ("", "ai.onnx")]
    draw = np.random.default_rng(0)
    longest = round(JUDGED_S * SAMPLE_RATE_HZ)
    sounds = [(0.1 * draw.standard_normal(n)).astype(np.float32) for n in (longest, longest // 2 + 77, longest // 20)]
    content = graph_of(_front_end(runtime.front_end.n_mels), {"sound": sounds[0]}, {"front": 2}, opset)
    _check(content, runtime, sounds)
    log_probs, layers = (LISTENER + name for name in LISTENER_OUTPUTS)
    whole = joined(onnx.load_from_string(content), listener, LISTENER)
    rename(whole, log_probs, "log_probs")
    whole.graph.initializer.append(helper.make_tensor("chosen", onnx.TensorProto.INT64, [], [WORD_STATE]))
    whole.graph.node.append(helper.make_node("Gather", [layers, "chosen"], ["states"], axis=0))
    del whole.graph.output[:]
    whole.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", width])
        for name, width in (("log_probs", len(LABELS)), ("states", runtime.info.width))
    )
    return bytes(whole.SerializeToString())


def _check(front: bytes, runtime: ListenerRuntime, sounds: Sequence[NDArray[np.float32]]) -> None:
    """What the listener is given, on each sound. What it answers is not compared: its 8-bit steps make of differences
    of a millionth some of a tenth (nats)."""
    session = open_graph(front, threads=1)
    for sound in sounds:
        found, expected = session.run(None, {"sound": sound})[0][0], runtime.front_end(at_one_level(sound))
        apart = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
        if apart > CLOSE:
            raise ModelError(
                N_(
                    "The graph's front end is no front end of the listener: up to {apart:.4f} apart, at most {most} "
                    "is accepted."
                ),
                apart=apart,
                most=CLOSE,
            )


def _front_end(n_mels: int) -> Any:
    """`placing.at_one_level` and `log_mel` as sums of squares, sines and cosines."""
    import torch

    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FFT_SIZE) / FFT_SIZE)
    filters = mel_filters(n_mels, FFT_SIZE, SAMPLE_RATE_HZ, 0.0, SAMPLE_RATE_HZ / 2, "slaney", unit_area=True)

    class SoundToFrames(torch.nn.Module):
        waves: "Tensor"
        filters: "Tensor"
        frame: "Tensor"

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("waves", waves_of(window, FFT_SIZE))
            self.register_buffer("filters", torch.tensor(filters, dtype=torch.float32))
            self.register_buffer("frame", torch.full((1, 1, LEVEL_FRAME), 1.0 / LEVEL_FRAME))

        def forward(self, sound: "Tensor") -> "Tensor":
            energy = torch.nn.functional.conv1d(sound[None, None] ** 2, self.frame, stride=LEVEL_FRAME)
            loud = (energy >= energy.max() * 10 ** (-LOUD_DB / 10)).float()
            level_db = 10.0 * torch.log10((energy * loud).sum() / loud.sum() + 1e-12)
            levelled = sound[None, None] * 10.0 ** ((LEVEL_DB - level_db) / 20.0)
            padded = torch.nn.functional.pad(levelled, (FFT_SIZE // 2, FFT_SIZE // 2), mode="reflect")
            power = power_of(padded, self.waves, HOP)[:, :-1]
            level = torch.log10(torch.clamp(self.filters @ power, min=1e-10))[None]
            frames: Tensor = (torch.maximum(level, level.max() - 8.0) + 4.0) / 4.0
            return frames

    return SoundToFrames().eval()
