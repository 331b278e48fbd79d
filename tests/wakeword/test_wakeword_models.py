"""Architectures, what they cost, losses, quantisation-aware steps."""

from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.errors import TrainingError
from pipeline.presets import build, merged, overrides
from pipeline.settings import Settings
from pipeline.wakeword.config import (
    MODELS,
    DetectorConfig,
    LossConfig,
    ModelConfig,
    WakewordConfig,
    list_presets,
    load_preset,
)
from pipeline.wakeword.features import Cmvn, FeatureConfig
from pipeline.wakeword.models import make_model
from pipeline.wakeword.models.budget import budget_of, check_budget
from pipeline.wakeword.models.quantisation_aware import quantised
from pipeline.wakeword.training.losses import WakewordLoss

FEATURES = FeatureConfig()
SHAPE = FEATURES.shape
DUAL = FeatureConfig(kind="dual", window_s=1.03, clip_s=2.5)


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "features",
    [
        {"clip_s": 0.3, "hop_s": 0.1}, {"kind": "mfcc", "n_mfcc": 5}, {"clip_s": 0.3, "window_s": 0.3},
        {"kind": "dual", "window_s": 1.03, "clip_s": 1.03}, {"n_mels": 128, "clip_s": 10.0},
    ],
    ids=str,
)  # fmt: skip
def test_every_architecture_hears_windows_of_any_size_or_refuses_them(name: str, features: dict[str, Any]) -> None:
    shaped = FeatureConfig(**features)
    try:
        budget_of(ModelConfig(name=name, width=0.25), shaped)
    except TrainingError as error:
        assert any(setting in str(error) for setting in ("model.name", "clip_s"))


def test_a_clip_is_no_shorter_than_a_frame() -> None:
    with pytest.raises(TrainingError, match=r"clip_s is at least window_s, got 0\.3 and 1\.03"):
        FeatureConfig(kind="adaptive", window_s=1.03, clip_s=0.3)


@pytest.mark.parametrize("name", MODELS)
def test_every_architecture_learns_from_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    config = ModelConfig(name=name, width=0.25 if name.startswith("resnet") else 1.0)
    model = make_model(config, FEATURES, Cmvn.none(SHAPE[1]))
    windows = torch.randn(6, *SHAPE)
    ((logits, embeddings),) = model.answers(windows)
    assert logits.shape == (6,)
    assert embeddings.shape == (6, model.head.in_features)
    logits.sum().backward()
    still = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not still, "every weight takes part"
    model.eval()
    with torch.inference_mode():
        assert torch.allclose(model(windows)[:2], model(windows[:2]), atol=1e-4), "a window does not see its neighbours"
    assert budget_of(config, FEATURES).parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("n_words", [1, 3])
def test_branches_are_networks_of_their_own_whose_mean_is_the_answer(n_words: int) -> None:
    torch.manual_seed(0)
    config = ModelConfig()
    cmvn = Cmvn(np.arange(80, dtype=np.float32), np.full(80, 2.0, dtype=np.float32))
    model = make_model(config, DUAL, cmvn, n_words).eval()
    windows = 80 * torch.rand(3, 148, 80)
    answers = [logits for logits, _ in model.answers(model.normalised(windows))]
    assert torch.allclose(model(windows), (answers[0] + answers[1]) / 2)
    assert answers[0].shape == ((3,) if n_words == 1 else (3, 3))
    alone = make_model(config, DUAL.parts[1], Cmvn(cmvn.mean[40:], cmvn.std[40:]), n_words).eval()
    alone.load_state_dict(model.networks[1].state_dict(), strict=False)
    assert torch.allclose(answers[1], alone(windows[:, :, 40:]), atol=1e-5), "of its own bins"
    answers[0].sum().backward()
    first, second = ([p.grad is not None for p in network.parameters()] for network in model.networks)
    assert all(first) and not any(second)
    assert budget_of(config, DUAL).parameters == 2 * budget_of(config, DUAL.parts[1]).parameters


def test_two_networks_take_no_loss_of_one_embedding() -> None:
    dual = overrides(["features.kind=dual", "features.window_s=1.03", "features.clip_s=2.5", "loss.name=arcface"])
    with pytest.raises(TrainingError, match=r"two networks .* learn with cross_entropy or focal"):
        build(WakewordConfig, merged(dual))


@pytest.mark.parametrize(("name", "expected"), [("resnet18", 11.17e6), ("resnet34", 21.28e6)])
def test_sizes_as_published_but_for_channel_and_classes(name: str, expected: float) -> None:
    assert budget_of(ModelConfig(name=name), FEATURES).parameters == pytest.approx(expected, rel=0.01)


def test_the_default_keeps_within_150_000_parameters() -> None:
    assert budget_of(ModelConfig(), FEATURES).parameters < 150_000


def test_multiplications_of_a_dense_network_are_its_weights() -> None:
    budget = budget_of(ModelConfig(name="cd_dnn"), FEATURES)
    model = make_model(ModelConfig(name="cd_dnn"), FEATURES, Cmvn.none(SHAPE[1]))
    assert budget.macs == sum(p.numel() for p in model.parameters() if p.dim() == 2)


def test_a_model_that_its_target_cannot_hold_is_refused() -> None:
    hop_s = DetectorConfig().hop_s
    with pytest.raises(TrainingError, match=r"kB of memory, ESP32-S3 has 320.*with model.int8"):
        check_budget(ModelConfig(name="bc_resnet", target="esp32_s3"), FEATURES, hop_s)
    with pytest.raises(TrainingError, match="kB of flash"):
        check_budget(ModelConfig(name="resnet18", target="esp32_s3", int8=True), FEATURES, hop_s)
    assert check_budget(ModelConfig(target="esp32_s3", int8=True), FEATURES, hop_s).ram_kb < 320


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "triplet", "arcface"])
def test_every_loss_is_lower_for_the_right_answer(name: str) -> None:
    torch.manual_seed(0)
    loss = WakewordLoss(LossConfig(name=name, label_smoothing=0.0), 4)
    is_word = torch.tensor([True, True, False, False])
    right = torch.tensor([4.0, 4.0, -4.0, -4.0])
    apart = torch.tensor([[1.0, 0, 0, 0], [1, 0.1, 0, 0], [-1, 0, 0, 0], [-1, 0.1, 0, 0]])
    if loss.centres is not None:
        loss.centres.data = torch.tensor([[-1.0, 0, 0, 0], [1, 0, 0, 0]])
    hard = torch.zeros(4, dtype=torch.bool)
    assert loss(right, apart, is_word, hard) < loss(-right, apart.flip(0), is_word, hard) - 1.0
    one_class = torch.ones(4, dtype=torch.bool)
    assert torch.isfinite(loss(right, apart, one_class, hard))


def test_hard_negatives_weigh_more_where_asked() -> None:
    wrong = torch.tensor([-2.0, 2.0])
    is_word = torch.tensor([True, False])
    hard = torch.tensor([False, True])
    plain, weighed = (
        WakewordLoss(LossConfig(hard_negative_weight=w), 2)(wrong, torch.zeros(2, 2), is_word, hard) for w in (1.0, 3.0)
    )
    assert plain == pytest.approx(float(weighed)), "both are as wrong: the mean stays"
    only = torch.tensor([2.0, 2.0])
    plain, weighed = (
        WakewordLoss(LossConfig(hard_negative_weight=w), 2)(only, torch.zeros(2, 2), is_word, hard) for w in (1.0, 3.0)
    )
    assert weighed > plain


def test_quantisation_aware_steps_move_the_float_weights() -> None:
    torch.manual_seed(0)
    model = make_model(ModelConfig(name="tiny_conv", dropout=0.0), FEATURES, Cmvn.none(SHAPE[1])).eval()
    layer = model.convolution[0]
    before = layer.weight.detach().clone()
    windows = torch.randn(8, *SHAPE)
    with quantised(model):
        steps = layer.weight.detach()[0] / (before[0].abs().max() / 127)
        assert torch.allclose(steps, steps.round(), atol=1e-3), "on the grid"
        on_grid = model(windows)
        on_grid.sum().backward()
    assert torch.equal(layer.weight, before)
    assert layer.weight.grad is not None
    assert bool(layer.weight.grad.abs().sum() > 0)
    assert 0 < float((model(windows) - on_grid).detach().abs().max()) < 0.5


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_can_be_used_and_fits_its_target(name: str) -> None:
    config = build(WakewordConfig, load_preset(name))
    check_budget(config.model, config.features, config.detector.hop_s)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = overrides(
        ["train.steps=0", "model.name=vgg", "features.n_mels=500", "augment.snr_low_db=40", "loss.gamma=x", "nothing=1"]
    )
    with pytest.raises(TrainingError) as caught:
        build(WakewordConfig, merged(load_preset("default"), wrong))
    for part in (
        "in train: steps lies in", "in model: name is one of", "in features: n_mels lies in 40-128",
        "in augment: snr_low_db is at most", "in loss: gamma is a number", "there is no setting 'nothing'",
    ):  # fmt: skip
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data.fallback_to_audio": True}, "fallback_to_audio needs features"),
        ({"data.features": "x", "data.precompute": False}, "never reads"),
        ({"loss.name": "focal"}, "takes no label_smoothing"),
        ({"detector.votes": 4}, "votes is at most of"),
        ({"augment.shift_s": 1.0, "features.clip_s": 0.8}, "shift_s is less than"),
        ({"data.precompute": False}, "mining.rounds to 0"),
        ({"train.ema_start": 0.9999}, "ema_start is at most ema_end"),
        ({"distil.teacher": "x", "model.name": "resnet18"}, "is a teacher itself"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        build(WakewordConfig, merged(settings))


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(TrainingError, match="known: default, embedding, esp32, small, thorough, tiny"):
        load_preset("huge")
    assert np.isfinite(budget_of(ModelConfig(name="gru"), FEATURES).macs)


def test_windows_that_leave_sound_out_between_them_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"hop_s is at most features\.clip_s.*got 1\.0 and 0\.9"):
        build(WakewordConfig, merged({"detector.hop_s": 1.0, "features.clip_s": 0.9}))


def test_a_budget_says_that_a_speech_embedding_is_not_counted_and_fits_no_microcontroller() -> None:
    result = CliRunner().invoke(main, ["wakeword", "budget", "--preset", "embedding"])
    assert "besides the speech embedding" in result.stdout
    fits = {line.split("  ")[1]: line for line in result.stdout.splitlines()[1:]}
    assert fits["ESP32-S3"].endswith("speech embeddings need more than a microcontroller")
    assert fits["Raspberry Pi"].endswith(" fits")
    assert "embedding" not in CliRunner().invoke(main, ["wakeword", "budget"]).stdout


def test_budget_counts_what_a_preset_trains(settings: Settings) -> None:
    env = {"PRONLAB_DATA_ROOT": str(settings.data_root), "PRONLAB_MODELS_ROOT": str(settings.models_root)}

    def printed(*options: str) -> str:
        result = CliRunner().invoke(main, ["wakeword", "budget", *options], env=env)
        assert result.exit_code == 0, result.output
        return result.output

    both, alone = printed("--preset", "default"), printed()
    assert both.startswith("tcn: 210,050 parameters") and alone.startswith("tcn: 105,025 parameters")
    assert "ESP32-S3         168 million multiplications per second" in both, "as a training for it is refused"
    assert printed("--preset", "default", "--width", "0.6").startswith("tcn: 76,")
