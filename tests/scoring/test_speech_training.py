"""Training the speech scorer from a manifest to a model folder, with encoders of random weights."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import CorpusError, ModelError, TrainingError
from pipeline.features.log_mel import log_mel
from pipeline.labels.corpus_source import of_manifest
from pipeline.quantisation import quantise_dynamic
from pipeline.runs import RunDirectory, RunWriter
from pipeline.scoring.speech.labels import LABELS
from pipeline.scoring.speech.listening.evidence import RHYTHM, n_phone_features
from pipeline.scoring.speech.model_files import FILES, WORDS_LICENCE_FILE, is_speech_folder, load_info, save_info
from pipeline.scoring.speech.packaging import export
from pipeline.scoring.speech.run import train_speech
from pipeline.scoring.speech.training.augment import Augmenter, read_noise, read_rooms, warp_bands
from pipeline.scoring.speech.training.config import SpeechTrainConfig, list_presets, load_preset
from pipeline.scoring.speech.training.data import data_hash, read_utterances
from pipeline.scoring.speech.training.encoder import batch_inputs, load_encoder
from pipeline.scoring.speech.training.frozen import run_head_training
from pipeline.scoring.speech.training.head import HeadEnsemble, Phones, ScoreHead
from pipeline.scoring.speech.training.heard import Listeners
from pipeline.scoring.speech.training.losses import discordance
from pipeline.scoring.speech.training.network import Listener
from pipeline.scoring.speech.training.start import start_from
from pipeline.scoring.speech.training.train import run_training, split_speakers
from pipeline.scoring.speech.training.validate import best_f1
from pipeline.settings import CHECKOUT, Settings
from tests.conftest import EXPORTED, small_vocabulary

PACKAGE = "pipeline.scoring.speech.packaging.package.package"


@pytest.fixture(scope="module", autouse=True)
def few_words() -> Iterator[None]:
    with small_vocabulary():
        yield


def test_a_manifest_is_read_with_all_its_levels(speech_manifest: Path) -> None:
    utterances = read_utterances(of_manifest(None, speech_manifest), "train")
    assert len(utterances) == 12
    first = utterances[0]
    assert first.spoken.words.tolist() == [0, 0, 1, 1, 1]
    assert first.stress.tolist() == [0, 0, 0, 1, 0]
    assert first.wrong_share[0] == pytest.approx(0.2)
    assert first.word_accuracy.tolist() == [4.0, 4.0]
    assert first.mean.tolist() == pytest.approx([4.0, 3.0, 4.0, 4.0])
    assert len(first.heard) == 5
    with pytest.raises(CorpusError, match="has no recordings in part 'other'"):
        read_utterances(of_manifest(None, speech_manifest), "other")


def test_the_held_out_speakers_are_heard_by_nobody(speech_manifest: Path) -> None:
    utterances = read_utterances(of_manifest(None, speech_manifest), "train")
    everywhere: list[str] = []
    for fold in range(4):
        config = SpeechTrainConfig(manifest="m", folds=4, fold=fold, seed=fold)
        train, held = split_speakers(utterances, config)
        assert not {u.speaker for u in train} & {u.speaker for u in held}
        everywhere += sorted({u.speaker for u in held})
    assert sorted(everywhere) == ["s0", "s1", "s2", "s3"]


def test_folds_that_are_left_out_are_not_used_at_all(speech_manifest: Path) -> None:
    utterances = read_utterances(of_manifest(None, speech_manifest), "train")
    whole, held = split_speakers(utterances, SpeechTrainConfig(manifest="m", folds=4, fold=1))
    fewer, the_same = split_speakers(utterances, SpeechTrainConfig(manifest="m", folds=4, fold=1, leave_out=(0, 2)))
    left = split_speakers(utterances, SpeechTrainConfig(manifest="m", folds=4, fold=3))[1]
    assert [u.key for u in the_same] == [u.key for u in held]
    assert [u.key for u in fewer] == [u.key for u in left]
    assert {u.speaker for u in fewer} < {u.speaker for u in whole}
    for folds in ((1,), (4,), (-1,)):
        with pytest.raises(TrainingError, match="leave_out takes folds from 0 to 3 beside fold 1"):
            SpeechTrainConfig(manifest="m", folds=4, fold=1, leave_out=folds)


def test_a_run_leaves_all_that_researchers_expect(speech_run: Path) -> None:
    run = RunDirectory(speech_run)
    assert run.state.status == "finished"
    epochs = [line for line in run.metrics() if line["event"] == "epoch"]
    assert [line["epoch"] for line in epochs] == [1, 2]
    assert {"greedy_per", "phone", "mdd_f1", "utterance_total"} <= epochs[0]["held_out"].keys()
    assert is_speech_folder(speech_run / "model")
    info = load_info(speech_run / "model")
    assert info.part == "train", "as it was found, where the settings leave it open"
    assert (info.n_recordings, info.n_speakers, len(info.speakers)) == (9, 3, 3)
    assert info.has_heard(info.trained_on, "s1")
    assert not info.has_heard("elsewhere", "s1")
    assert len(info.confidence) == 21
    assert (speech_run / "model" / "README.md").is_file()


def unpackaged(*_: Any, **__: Any) -> SimpleNamespace:
    """For `package`, which takes most of a small run: the run ends with its weights."""
    return SimpleNamespace(held_out={})


@contextmanager
def other_threads() -> Iterator[None]:
    """As somebody else's process, which has torch work with another number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    yield
    torch.set_num_threads(before)


def test_a_run_goes_on_where_it_was_cut(
    tmp_path: Path, speech_run: Path, speech_manifest: Path, tiny_encoder: Path
) -> None:
    """Two epochs at once, and one with a cut and another, end with the very same weights, whoever goes on."""
    from safetensors.torch import load_file

    installation = Settings(tmp_path / "data", tmp_path / "models", encoder_path=tiny_encoder)
    config = SpeechTrainConfig(**RunDirectory(speech_run).config)
    run = RunDirectory.create(installation.runs_root, kind="speech", name="cut", config=config)
    run.write_state(replace(run.state, threads=RunDirectory(speech_run).state.threads))

    # The cut comes in the second epoch, after the first one's checkpoint.
    from pipeline.scoring.speech.training import train as module

    whole_epoch = module._Trainer.epoch

    def cut(self: module._Trainer, epoch: int) -> dict[str, float]:
        if epoch == 1:
            raise KeyboardInterrupt
        return whole_epoch(self, epoch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Trainer, "epoch", cut)
        with pytest.raises(KeyboardInterrupt):
            train_speech(installation, config, run)
    with other_threads(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(PACKAGE, unpackaged)
        train_speech(installation, config, run)
    ours = load_file(run.path / "checkpoints" / "last.safetensors")
    theirs = load_file(speech_run / "checkpoints" / "last.safetensors")
    assert ours.keys() == theirs.keys()
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []


def test_training_goes_on_from_an_exported_listener(tmp_path: Path, speech_run: Path, tiny_encoder: Path) -> None:
    from safetensors.torch import load_file

    listener = Listener(load_encoder(tiny_encoder, 0.1), 0.1)
    trained = {
        name.removeprefix("listener."): value
        for name, value in load_file(speech_run / "checkpoints" / "best.safetensors").items()
        if name.startswith("listener.")
    }
    start_from(listener, speech_run / EXPORTED)
    assert all(torch.allclose(value, trained[name]) for name, value in listener.state_dict().items())
    shutil.copy(speech_run / EXPORTED / "listener.onnx", tmp_path / "whole.onnx")
    quantise_dynamic(tmp_path / "whole.onnx", tmp_path / "listener.onnx")
    start_from(listener, tmp_path)
    for name, value in listener.state_dict().items():
        assert torch.allclose(value, trained[name], atol=float(trained[name].abs().max()) / 100)

    with pytest.raises(ModelError, match="another encoder"):
        start_from(listener, CHECKOUT / "models" / "speech-en")
    (tmp_path / "listener.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="cannot be read"):
        start_from(listener, tmp_path)
    with pytest.raises(TrainingError, match="start goes with neither"):
        SpeechTrainConfig(manifest="m", start="released", listener="released")


def test_runs_of_several_seeds_become_one_model(
    tmp_path: Path, speech_run: Path, speech_manifest: Path, tiny_encoder: Path
) -> None:
    from safetensors.torch import load_file

    from pipeline.scoring.speech.training.average import common_config

    installation = Settings(tmp_path / "data", tmp_path / "models", encoder_path=tiny_encoder)

    def a_run(name: str, **changed: Any) -> RunDirectory:
        config = replace(SpeechTrainConfig(**RunDirectory(speech_run).config), name=name, **changed)
        return RunDirectory.create(installation.runs_root, kind="speech", name=name, config=config)

    first, second = RunDirectory(speech_run), a_run("second", seed=1)
    with pytest.raises(TrainingError, match="has no checkpoint yet"):
        common_config([first, second])
    with second.start() as writer:  # trained only: to export it takes longest, and the mean is exported below
        utterances = read_utterances(of_manifest(None, speech_manifest), "train")
        writer.update(data_hash=data_hash(utterances))
        run_training(utterances, SpeechTrainConfig(**second.config), str(tiny_encoder), "cpu", writer)
    shutil.copytree(first.path, installation.runs_root / first.id)
    mean = a_run("mean", average=(first.id, second.id))
    assert SpeechTrainConfig(**mean.config) == replace(common_config([first, second]), name="mean")
    graphs = speech_run / EXPORTED  # of the first run: to trace another model of this shape says nothing new
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "pipeline.scoring.speech.packaging.export.export_onnx",
            lambda _, folder: shutil.copytree(graphs, folder, dirs_exist_ok=True),
        )
        report = train_speech(installation, SpeechTrainConfig(**mean.config), mean)
    assert report["averaged"] == [first.id, second.id]
    weights = [load_file(run.path / "checkpoints" / "best.safetensors") for run in (first, second, mean)]
    differ = 0
    for name, value in weights[2].items():
        if name.startswith("listener."):
            assert torch.allclose(value, (weights[0][name] + weights[1][name]) / 2, atol=1e-6), name
            differ += not torch.equal(weights[0][name], weights[1][name])
    assert differ, "two seeds trained the same weights"
    assert any("head" in name and not torch.equal(value, weights[0][name]) for name, value in weights[2].items())
    assert load_info(mean.path / "model").averaged == (first.id, second.id)
    assert f"Mean weights of `{first.id}`" in (mean.path / "model" / "README.md").read_text(encoding="utf-8")

    with pytest.raises(TrainingError, match="two runs or more"):
        common_config([first])
    other = a_run("other", hidden=32)
    shutil.copytree(first.path / "checkpoints", other.path / "checkpoints", dirs_exist_ok=True)
    with pytest.raises(TrainingError, match="differ in hidden"):
        common_config([first, other])


def test_heads_are_trained_on_a_finished_listener(
    tmp_path: Path, speech_run: Path, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    installation = Settings(tmp_path / "data", tmp_path / "models")  # no encoder is needed
    other = shutil.copytree(speech_run / "model", tmp_path / "other")
    save_info(other, replace(load_info(other), model_id="other", speakers=()))
    config = SpeechTrainConfig(
        manifest=str(speech_manifest), folds=4, epochs=1, hidden=16, layers=1, listener=str(speech_run / "model"),
        other_listeners=(str(other),), copies=1, members=2, unvaried=1, final_on_all=True, warp=0.1, silence_s=0.5,
    )  # fmt: skip
    run = RunDirectory.create(installation.runs_root, kind="speech", name="heads", config=config)
    graph = speech_run / "model" / "head.onnx"  # to trace another head of this shape says nothing new
    monkeypatch.setattr(export, "export_head", lambda *parts: shutil.copy(graph, parts[-1]))
    report = train_speech(installation, config, run)
    assert report["n_held_out"] == 3
    weights = load_file(run.path / "checkpoints" / "best.safetensors")
    first, second = (weights[f"members.{n}.phone.1.weight"] for n in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, load_file(run.path / "checkpoints" / "final.safetensors")["members.0.phone.1.weight"])
    source, info = load_info(speech_run / "model"), load_info(run.path / "model")
    listener, model = (folder / "model" / "listener.onnx" for folder in (speech_run, run.path))
    assert model.read_bytes() == listener.read_bytes()
    assert "Carnegie Mellon" in (run.path / "model" / WORDS_LICENCE_FILE).read_text(encoding="utf-8")
    assert (info.n_recordings, info.n_speakers, source.n_speakers) == (12, 4, 3)
    assert set(info.heads_only) == set(info.speakers) - set(source.speakers)
    assert not info.listener_has_heard(info.trained_on, info.heads_only[0].split("/")[1])
    assert (info.listener, info.check) == (source.model_id, source.check)
    assert info.other_listeners == ("other",)
    assert "and 1 that had not learned from its speakers" in (run.path / "model" / "README.md").read_text("utf-8")
    assert info.held_out["greedy_per"] == source.held_out["greedy_per"], "the same recordings, heard alike"

    heard = run.path / "heard"
    before = {file: file.stat().st_mtime_ns for file in heard.rglob("*.bin")}
    assert {file.parent.name for file in before} == {"0", "0-1", "1", "1-1"}
    run_head_training(
        read_utterances(of_manifest(None, speech_manifest), "train"), config,
        [Listeners([Path(config.listener)], source.trained_on)] * 2, RunWriter(run),
    )  # fmt: skip
    assert {file: file.stat().st_mtime_ns for file in heard.rglob("*.bin")} == before, "heard again"


def test_a_speaker_is_heard_by_a_listener_that_did_not_learn_from_them(tmp_path: Path, speech_run: Path) -> None:
    first, corpus = speech_run / "model", load_info(speech_run / "model").trained_on
    learned = [name.split("/")[1] for name in load_info(first).speakers]
    other = shutil.copytree(first, tmp_path / "other")
    save_info(other, replace(load_info(first), model_id="other", speakers=(f"{corpus}/{learned[0]}",)))
    listeners = Listeners([first, other], corpus)
    assert [listeners.of(speaker).info.model_id for speaker in learned] == [
        load_info(first).model_id, "other", "other",
    ], "whom both learned from is heard by the first"  # fmt: skip
    assert listeners.of("somebody else").info.model_id == load_info(first).model_id
    save_info(other, replace(load_info(other), width=9))
    with pytest.raises(ModelError, match="another encoder"):
        Listeners([first, other], corpus)
    with pytest.raises(TrainingError, match="other_listeners goes with listener"):
        SpeechTrainConfig(manifest="m", other_listeners=(str(other),))


def test_the_mean_of_several_heads_is_what_they_answer_on_average() -> None:
    torch.manual_seed(0)
    members = [ScoreHead(8, 3, hidden=8, layers=1, dropout=0.0).eval() for _ in range(2)]
    phones = Phones(
        *torch.ones((3, 1, 4), dtype=torch.long), None, torch.randn(1, 4, 2, 3, 8),
        torch.randn(1, 4, n_phone_features(len(LABELS))), torch.full((1, 1, 4), 0.25), torch.randn(1, 2, 3, 8),
        torch.randn(1, len(RHYTHM)),
    )  # fmt: skip
    first, second = (member(phones) for member in members)
    both = HeadEnsemble(members)(phones)
    assert torch.allclose(both.phone, (first.phone + second.phone) / 2, atol=1e-6)
    assert torch.allclose(both.utterance, (first.utterance + second.utterance) / 2, atol=1e-6)


def test_padded_phones_change_nothing_and_neighbours_do() -> None:
    torch.manual_seed(0)
    head = ScoreHead(8, 3, hidden=8, layers=1, dropout=0.0).eval()

    def answers(labels: list[int], n: int) -> torch.Tensor:
        draw = torch.Generator().manual_seed(1)
        states, evidence = (torch.randn(*shape, generator=draw) for shape in ((6, 2, 3, 8), (6, F)))
        padding = [0] * (n - len(labels))
        present = torch.tensor([[True] * len(labels) + [False] * len(padding)])
        words = (present / len(labels))[None].float()
        phones = Phones(
            torch.tensor([labels + padding]), torch.zeros(1, n, dtype=torch.long),
            torch.zeros(1, n, dtype=torch.long), present, states[None, :n], evidence[None, :n], words,
            torch.ones(1, 2, 3, 8), torch.zeros(1, len(RHYTHM)),
        )  # fmt: skip
        with torch.inference_mode():
            return head(phones).phone[0, : len(labels)]

    F = n_phone_features(len(LABELS))
    assert torch.allclose(answers([1, 2, 3], 3), answers([1, 2, 3], 6), atol=1e-5)
    assert not torch.allclose(answers([1, 2, 3], 3)[0], answers([1, 3, 3], 3)[0], atol=1e-4)


def test_shrunken_scores_are_punished() -> None:
    right = torch.randn(200, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    right = (right - right.mean(dim=0)) / right.std(dim=0, unbiased=False)
    assert float(discordance(right, right)) == pytest.approx(0.0, abs=1e-6)
    assert float(discordance(0.5 * right, right)) == pytest.approx(0.2, abs=1e-5)
    assert float(discordance(right + 1.0, right)) == pytest.approx(1 / 3, abs=1e-5)


def test_a_run_that_is_stopped_says_how_to_go_on(tmp_path: Path, speech_manifest: Path, tiny_encoder: Path) -> None:
    installation = Settings(tmp_path / "data", tmp_path / "models", encoder_path=tiny_encoder)
    config = SpeechTrainConfig(manifest=str(speech_manifest), folds=4, epochs=2, score_after_epochs=0, hidden=16)
    run = RunDirectory.create(installation.runs_root, kind="speech", name="stopped", config=config)
    run.request_stop()
    with pytest.raises(TrainingError, match=f"--resume {run.id}"):
        train_speech(installation, config, run)
    assert run.state.status == "stopped"


def test_without_an_encoder_the_run_says_which_is_missing(tmp_path: Path, speech_manifest: Path) -> None:
    installation = Settings(tmp_path / "data", tmp_path / "models")
    config = SpeechTrainConfig(manifest=str(speech_manifest))
    run = RunDirectory.create(installation.runs_root, kind="speech", name="none", config=config)
    with pytest.raises(ModelError, match="PRONLAB_ENCODER_PATH"):
        train_speech(installation, config, run)


def test_wrong_settings_are_named_all_at_once() -> None:
    with pytest.raises(TrainingError) as error:
        SpeechTrainConfig(epochs=0, dropout=2.0, precision="half", hidden=30)
    for word in ("a set or a manifest", "epochs", "dropout", "precision", "multiple of 4"):
        assert word in str(error.value)


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_can_be_used(name: str) -> None:
    SpeechTrainConfig(**{"manifest": "m", **load_preset(name)})


def test_padding_changes_nothing(tiny_encoder: Path) -> None:
    encoder = load_encoder(tiny_encoder, 0.0).eval()
    draw = np.random.default_rng(0)
    parts = [draw.normal(size=(80, n)).astype(np.float32) for n in (40, 61)]
    with torch.inference_mode():
        together = encoder(*batch_inputs(parts))
        alone = [encoder(torch.from_numpy(part[None]), None) for part in parts]
    assert torch.allclose(together[-1][0, :19], alone[0][-1][0, :19], atol=1e-4)
    assert torch.allclose(together[-1][1, :30], alone[1][-1][0, :30], atol=1e-4)


def test_encoders_that_read_the_waveform_work_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    from pipeline.scoring.speech.listening.runtime import SpeechRuntime
    from pipeline.scoring.speech.training.batches import SpeechModel

    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(16, 16),
        conv_stride=(16, 20), conv_kernel=(32, 40), num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    Wav2Vec2Model(config).save_pretrained(tmp_path / "wave")
    model = SpeechModel(SpeechTrainConfig(manifest="m", hidden=16, layers=1), str(tmp_path / "wave")).eval()
    assert model.listener.encoder.shape.frames_per_s == 50.0
    monkeypatch.setattr(export, "export_head", lambda *_: None)  # the same for every encoder
    export.export_onnx(model, tmp_path)
    samples = np.random.default_rng(0).normal(size=8000).astype(np.float32)
    assert export.agreement(model, tmp_path, model.listener.encoder.front_end(samples)) < 1e-3
    assert not hasattr(SpeechRuntime, "torch")


def test_a_folder_without_an_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No speech encoder can be loaded"):
        load_encoder(tmp_path, 0.0)


def test_variations_keep_to_their_limits_and_their_seed() -> None:
    samples = np.sin(np.arange(16000) / 20).astype(np.float32)
    noise = [np.random.default_rng(0).normal(size=4000).astype(np.float32)]
    first, second = (Augmenter(3, 0.1, 1.0, noise, [np.ones(3, dtype=np.float32)]) for _ in range(2))
    for _ in range(20):
        varied = first.samples(samples)
        assert np.array_equal(varied, second.samples(samples))
        assert 16000 / 1.11 <= len(varied) <= 16000 / 0.89
        assert np.isfinite(varied).all()
    spectrum = np.ones((80, 100), dtype=np.float32) * np.arange(100, dtype=np.float32)
    assert (first.masked(spectrum) != spectrum).any()
    assert np.array_equal(Augmenter(0, 0.1, 0.0).samples(samples), samples)
    assert np.array_equal(first.masked(samples), samples)


def test_another_vocal_tract_moves_frequencies_and_silence_is_put_around() -> None:
    tone = log_mel(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32))
    band = int(tone[:, 50].argmax())
    moved = [int(warp_bands(tone, factor)[:, 50].argmax()) for factor in (0.85, 1.0, 1.15)]
    assert moved[0] > moved[1] == band > moved[2]
    assert np.array_equal(warp_bands(tone, 1.0), tone)
    samples = np.sin(np.arange(16000) / 20).astype(np.float32)
    lengths = [len(Augmenter(seed, 0.0, silence_s=0.5).samples(samples)) for seed in range(200)]
    assert 16000 - 2 * 2400 <= min(lengths) < 16000 < max(lengths) <= 16000 + 2 * 8000
    assert 16000 in lengths


def test_noise_folders_must_hold_audio(tmp_path: Path) -> None:
    assert read_noise("") == []
    with pytest.raises(TrainingError, match="no audio"):
        read_rooms(str(tmp_path))
    shutil.copy(CHECKOUT / "data" / "demo" / "references" / "masa.wav", tmp_path)
    (room,) = read_rooms(str(tmp_path))
    assert float((room**2).sum()) == pytest.approx(1.0, abs=1e-3)


def test_the_best_f1_is_the_best_of_all_thresholds() -> None:
    draw = np.random.default_rng(0)
    wrong = draw.random(200) < 0.2
    probability = np.clip(0.3 * wrong + draw.random(200) * 0.7, 0, 1)
    best = 0.0
    for threshold in probability:
        flagged = probability >= threshold
        best = max(best, 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum()))
    f1, threshold = best_f1(wrong, probability)
    assert f1 == pytest.approx(best)
    flagged = probability >= threshold
    assert 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum()) == pytest.approx(best)
    assert best_f1(np.zeros(3, dtype=bool), np.zeros(3)) == (0.0, 1.0)


def test_a_folder_that_is_incomplete_or_of_another_version_is_refused(tmp_path: Path, speech_run: Path) -> None:
    for name in FILES:
        if (speech_run / "model" / name).is_file():
            shutil.copy(speech_run / "model" / name, tmp_path)
    raw = json.loads((tmp_path / "speech.json").read_text())
    (tmp_path / "speech.json").write_text(json.dumps({k: v for k, v in raw.items() if k != "format"}))
    with pytest.raises(ModelError, match=r"made by another version of Pronlab \(format 1, expected 2\)"):
        load_info(tmp_path)
    (tmp_path / "speech.json").write_text(json.dumps({**raw, "labels": ["a"]}))
    with pytest.raises(ModelError, match="labels"):
        load_info(tmp_path)
    (tmp_path / "speech.json").write_text("no")
    with pytest.raises(ModelError, match="cannot be read"):
        load_info(tmp_path)
    (tmp_path / "head.onnx").unlink()
    with pytest.raises(ModelError, match=r"head\.onnx is missing"):
        load_info(tmp_path)
    assert replace(load_info(speech_run / "model"), model_id="x").model_id == "x"
