"""8-bit models answer alike on every processor: also on those whose signed 8-bit kernels saturate, in emulation."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

from pipeline.audio.load import load_audio
from pipeline.errors import ModelError
from pipeline.quantisation import (
    MIDDLE,
    _Inputs,
    in_8_bits,
    keep_in_8_bits,
    make_unsigned,
    quantise_dynamic,
    quantise_static,
    signed_weights,
)
from pipeline.scoring.speech.lexicon.letter_to_sound import letters_of
from pipeline.scoring.speech.listening.runtime import SpeechRuntime
from pipeline.scoring.speech.model_files import HEAD_FILE, LISTENER_FILE, RULES_FILE
from pipeline.settings import CHECKOUT
from tests.saturation import product, saturating_session

RELEASED = CHECKOUT / "models" / "speech-en"
N, WIDTH = 16, 64


@pytest.fixture(scope="module")
def inputs() -> NDArray[np.float32]:
    """All positive and mostly large: activations near 255, where signed products saturate."""
    return np.random.default_rng(0).uniform(0.5, 1.0, (N, 8, WIDTH)).astype(np.float32)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution and a matrix product, with weights of one sign side by side."""
    draw = np.random.default_rng(1)
    kernel, matrix = draw.uniform(0.1, 0.2, (32, 8, 3)), draw.uniform(0.05, 0.1, (32 * WIDTH, 4))
    weights = [numpy_helper.from_array(w.astype(np.float32), n) for w, n in ((kernel, "kernel"), (matrix, "matrix"))]
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("MatMul", ["f", "matrix"], ["y"]),
    ]
    taken, given = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ("n", 8, WIDTH)), ("y", ("n", 4)))
    )
    model = helper.make_model(helper.make_graph(nodes, "network", [taken], [given], weights),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)  # fmt: skip
    file = tmp_path_factory.mktemp("network") / "float.onnx"
    onnx.save(model, file)
    return file


def emulated(file: Path, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(saturating_session(file).run(None, {"x": inputs})[0])


def test_pairs_of_signed_products_saturate_in_the_emulation() -> None:
    activations = np.full((1, 2), 255, dtype=np.uint8)
    assert product(activations, np.full((2, 1), 127, dtype=np.int8))[0, 0] == 32_767
    assert product(activations, np.full((2, 1), -128, dtype=np.int8))[0, 0] == -32_768
    assert product(activations, np.full((2, 1), 64, dtype=np.int8))[0, 0] == 2 * 255 * 64
    assert product(activations, np.full((2, 1), 255, dtype=np.uint8), 0, 128)[0, 0] == 2 * 255 * 127


def test_what_is_kept_in_8_bits_is_right_to_half_a_step() -> None:
    values = np.random.default_rng(2).normal(size=(48, 32)).astype(np.float32)
    values[:, 3] *= 100.0  # a column of its own size: one scale for each column loses less than one for each row
    values[7] = 0.0
    steps, scale = in_8_bits(values)
    assert scale.shape == (1, 32)
    assert np.all(np.abs((steps.astype(np.float32) - MIDDLE) * scale - values) <= 0.5001 * scale)
    assert in_8_bits(values.T.copy())[1].shape == (32, 1)


def test_a_file_kept_in_8_bits_is_small_and_multiplies_floats(
    network: Path, inputs: NDArray[np.float32], tmp_path: Path
) -> None:
    small = tmp_path / "small.onnx"
    shutil.copy(network, small)
    keep_in_8_bits(small)
    assert small.stat().st_size < 0.6 * network.stat().st_size, "of this matrix each row of four has a scale"
    assert signed_weights(small) == []
    (truth,), (kept,) = (InferenceSession(file).run(None, {"x": inputs}) for file in (network, small))
    assert np.abs(kept - truth).max() < 0.01 * np.abs(truth).max()
    assert np.allclose(emulated(small, inputs), kept, rtol=1e-4), "no integer kernel that could saturate"


@pytest.mark.parametrize("file", sorted(RELEASED.glob("*.onnx")), ids=lambda file: file.name)
def test_released_graphs_hold_no_paths_of_the_machine_they_were_made_on(file: Path) -> None:
    assert b'File "' not in file.read_bytes()


def test_unsigned_weights_answer_as_the_float_model_where_signed_ones_saturate(
    network: Path, inputs: NDArray[np.float32], tmp_path: Path
) -> None:
    (truth,) = InferenceSession(network).run(None, {"x": inputs})
    feed = [{"x": row[None]} for row in inputs]
    quantise_static(network, tmp_path / "unsigned.onnx", feed)
    quantize_static(
        str(network), str(tmp_path / "signed.onnx"), _Inputs(feed), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    assert signed_weights(tmp_path / "unsigned.onnx") == []
    assert len(signed_weights(tmp_path / "signed.onnx")) == 2
    unsigned, signed = (emulated(tmp_path / f"{name}.onnx", inputs) for name in ("unsigned", "signed"))
    size = np.abs(truth).mean()
    assert np.abs(unsigned - truth).max() < 0.02 * size
    assert np.abs(signed - truth).max() > 0.1 * size
    (here,) = InferenceSession(tmp_path / "unsigned.onnx").run(None, {"x": inputs})
    assert np.abs(unsigned - here).max() < 0.02 * size


def test_matrix_products_quantised_as_they_come_do_not_saturate(
    network: Path, inputs: NDArray[np.float32], tmp_path: Path
) -> None:
    (truth,) = InferenceSession(network).run(None, {"x": inputs})
    size = np.abs(truth).mean()
    quantise_dynamic(network, tmp_path / "unsigned.onnx")
    quantize_dynamic(
        network,
        tmp_path / "signed.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul"],
    )
    assert np.abs(emulated(tmp_path / "unsigned.onnx", inputs) - truth).max() < 0.02 * size
    assert np.abs(emulated(tmp_path / "signed.onnx", inputs) - truth).max() > 0.05 * size
    # A model that was packaged before can be rewritten, with the same values.
    assert make_unsigned(tmp_path / "signed.onnx")
    assert not make_unsigned(tmp_path / "signed.onnx")
    assert np.abs(emulated(tmp_path / "signed.onnx", inputs) - truth).max() < 0.02 * size


def test_statically_quantised_signed_weights_cannot_be_rewritten(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((4, 4), dtype=np.int8), "w")
    scale = numpy_helper.from_array(np.float32(0.1), "s")
    graph = helper.make_graph(
        [helper.make_node("DequantizeLinear", ["w", "s"], ["f"]), helper.make_node("MatMul", ["x", "f"], ["y"])],
        "static", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (2, 4))], [weight, scale],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), tmp_path / "static.onnx")
    with pytest.raises(ModelError, match="Export it again"):
        make_unsigned(tmp_path / "static.onnx")


def test_writing_an_8_bit_model_without_the_package_says_how_to_install_it(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ModelError, match="pip install"):
        quantise_dynamic(network, tmp_path / "small.onnx")


@pytest.mark.parametrize("name", [LISTENER_FILE, HEAD_FILE, RULES_FILE])
def test_the_released_models_hold_no_signed_weights(name: str) -> None:
    assert signed_weights(RELEASED / name) == []


def test_the_released_listener_hears_the_same_on_a_saturating_processor() -> None:
    runtime = SpeechRuntime(RELEASED)
    features = runtime.front_end(load_audio(CHECKOUT / "data" / "demo" / "references" / "masa.wav").samples)[None]
    (here,) = InferenceSession(RELEASED / LISTENER_FILE).run(["log_probs"], {"inputs": features})
    (there,) = saturating_session(RELEASED / LISTENER_FILE).run(["log_probs"], {"inputs": features})
    likely = np.maximum(here, there) > np.log(0.01)
    assert np.abs(here - there)[likely].max() < 0.15
    assert (here.argmax(axis=1) == there.argmax(axis=1)).all()


def test_the_released_letter_to_sound_rules_say_the_same_on_a_saturating_processor() -> None:
    here, there = InferenceSession(RELEASED / RULES_FILE), saturating_session(RELEASED / RULES_FILE)
    for word in ("blorptastic", "wexlin", "phrudge", "quimberly"):
        letters = {"letters": np.array([letters_of(word)], dtype=np.int64)}
        ours, theirs = (session.run(["log_probs"], letters)[0] for session in (here, there))
        assert (ours.argmax(axis=-1) == theirs.argmax(axis=-1)).all()


def test_an_older_copy_of_the_listener_can_be_made_unsigned(tmp_path: Path) -> None:
    """Of a copy with signed weights, the rewritten file is the released one again."""
    released = onnx.load(RELEASED / RULES_FILE)
    for node in released.graph.node:
        if node.op_type == "MatMulInteger":
            for tensor in released.graph.initializer:
                if tensor.name in (node.input[1], node.input[3]) and tensor.data_type == TensorProto.UINT8:
                    signed = (numpy_helper.to_array(tensor).astype(np.int16) - 128).astype(np.int8)
                    tensor.CopyFrom(numpy_helper.from_array(signed, tensor.name))
    onnx.save(released, tmp_path / RULES_FILE)
    shutil.copy(tmp_path / RULES_FILE, tmp_path / "signed.onnx")
    assert make_unsigned(tmp_path / RULES_FILE)
    word = {"letters": np.array([letters_of("wexlin")], dtype=np.int64)}
    sessions = [InferenceSession(file) for file in (RELEASED / RULES_FILE, tmp_path / RULES_FILE)]
    first, second = (session.run(["log_probs"], word)[0] for session in sessions)
    assert np.array_equal(first, second)
