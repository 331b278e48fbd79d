"""The speech language model from a manifest to Table 3, on a random model of two layers and real classes."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch

from pipeline.errors import CorpusError, JobError, TrainingError
from pipeline.labels.corpus_source import of_manifest
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.speechllm.adapters import attach_adapter
from pipeline.speechllm.collator import IGNORED, Collator
from pipeline.speechllm.config import BUILT_IN, SpeechLlmConfig, list_presets, load_preset
from pipeline.speechllm.evaluate import Answered, Correlated, SpeechLlmFigures, answer_all, figures
from pipeline.speechllm.generation import generate_halving
from pipeline.speechllm.judge import chooses
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.model_files import load_info
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.plan import make_plan, refuse_impossible
from pipeline.speechllm.prompts import load_prompts
from pipeline.speechllm.samples import Corpus, hold_out, leave_out, load_corpus, samples_of
from pipeline.speechllm.table3 import table3
from pipeline.speechllm.train import train_speechllm

SHORT = replace(load_prompts(), apa="Rate it.", mdd="Write it down.")


@pytest.fixture(scope="module", autouse=True)
def short_answers() -> Iterator[None]:
    """A random model does not end by itself; right answers take 40 tokens here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 64)
        yield


def config_of(manifest: Path, **changed: object) -> SpeechLlmConfig:
    return SpeechLlmConfig(**{**load_preset("tiny"), "manifest": str(manifest), "evaluation_part": "", **changed})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("speechllm")
    return Settings(root / "data", root / "models")


@pytest.fixture(scope="module")
def corpus(home: Settings, speech_manifest: Path) -> Corpus:
    return load_corpus(home, of_manifest(None, speech_manifest), "train")


def tiny(manifest: Path, **changed: object) -> tuple[Phi4, SpeechLlmConfig]:
    config = config_of(manifest, checkpointing=False, **changed)
    return attach_adapter(load_phi4(config, "cpu"), config), config


@pytest.fixture(scope="module")
def finished(home: Settings, speech_manifest: Path) -> RunDirectory:
    config = config_of(speech_manifest, limit=2, epochs=2)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="tiny", config=config)
    train_speechllm(home, config, run)
    return run


def test_a_run_leaves_table_3_and_all_that_researchers_expect(finished: RunDirectory) -> None:
    assert finished.state.status == "finished"
    table = json.loads((finished.path / "table3.json").read_text(encoding="utf-8"))["table3"]
    names = ["accuracy_pcc", "fluency_pcc", "prosodic_pcc", "total_pcc", "wer", "per", "f1", "precision", "recall"]
    assert list(table) == names
    assert table["per"]["paper"] == 0.154
    assert "| wer |" in (finished.path / "table3.md").read_text(encoding="utf-8")
    assert (finished.path / "table3.csv").read_text(encoding="utf-8").count("\n") == 10
    for file in (
        "trainer_state.json",
        "plan.json",
        "report.json",
        "model/adapter_config.json",
        "model/speechllm.json",
        "epoch-1/answers.jsonl",
    ):
        assert (finished.path / file).is_file(), file
    assert list((finished.path / "tensorboard").rglob("events.*"))
    card = (finished.path / "model" / "README.md").read_text(encoding="utf-8")
    assert "- Trained on 2 recordings of 1 speaker: " in card and "| per |" in card
    lines = finished.metrics()
    assert [line["epoch"] for line in lines if line["event"] == "epoch"] == [1, 2]
    assert all(line["grad_norm"] > 0 for line in lines if line["event"] == "step")
    answers = (finished.path / "epoch-2" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["task"] for line in answers} == {"apa", "mdd"}


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_weights(
    home: Settings, speech_manifest: Path, finished: RunDirectory
) -> None:
    from safetensors.torch import load_file

    config = config_of(speech_manifest, limit=2, epochs=2)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="cut", config=config)
    run.write_state(replace(run.state, threads=finished.state.threads))
    from transformers import Trainer

    whole_step, n = Trainer.training_step, 0

    def step(self: Trainer, *arguments: object, **named: object) -> torch.Tensor:
        nonlocal n
        n += 1
        if n == 3:
            run.request_stop()
        return whole_step(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "training_step", step)
        with pytest.raises(TrainingError, match=f"--resume {run.id}"):
            train_speechllm(home, config, run)
    assert run.state.status == "stopped"
    assert n == 3
    run.withdraw_stop()
    train_speechllm(home, config, run)
    ours, theirs = (load_file(r.path / "model" / "adapter_model.safetensors") for r in (run, finished))
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_a_batch_that_does_not_fit_is_halved_and_the_step_kept(
    home: Settings, speech_manifest: Path, finished: RunDirectory
) -> None:
    """The best epoch by validation loss, and a step that finds no memory for two samples."""
    from transformers import Trainer

    config = config_of(speech_manifest, limit=3, epochs=2, validation_share=0.4, best_epoch=True, evaluation_limit=1)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="small", config=config)
    whole_step = Trainer.training_step

    def step(self: Trainer, model: object, inputs: dict[str, torch.Tensor], *given: object) -> torch.Tensor:
        if len(inputs["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return whole_step(self, model, inputs, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "training_step", step)
        report = train_speechllm(home, config, run)
    assert report["batch"] == 1
    assert "Resuming with 1 and 2 accumulated, which is the same step" in run.log_tail()
    lines = run.metrics()
    losses = {line["epoch"]: line["loss"] for line in lines if line["event"] == "validation"}
    assert sorted(losses) == [1, 2]
    assert report["epoch"] == min(losses, key=lambda epoch: losses[epoch])
    n_steps = sum(line["event"] == "step" for line in lines)
    assert n_steps == 2 * report["plan"].steps / config.epochs


def test_recordings_are_decoded_whoever_is_told_of_it(home: Settings, speech_manifest: Path) -> None:
    """`datasets` would pickle whatever the progress refers to: with packages outside the interpreter's own folders, of
    click's a lock of its thread."""
    told, of_thread = [], threading.local()

    def progress(done: int, total: int, _: str) -> None:
        of_thread.done = done
        told.append((done, total))

    corpus = load_corpus(home, of_manifest(None, speech_manifest), "train", progress, limit=2)
    assert (len(corpus.rows), told) == (2, [(1, 2), (2, 2)])


def test_a_process_computes_on_the_gpu_that_it_was_told_of(home: Settings, speech_manifest: Path) -> None:
    """The Trainer's own arguments would take the first of four, and give each a batch."""
    from transformers import TrainingArguments

    from pipeline.speechllm.trainer_arguments import arguments_for

    config = config_of(speech_manifest)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="second", config=config)
    with (
        patch("transformers.training_args.is_torch_bf16_gpu_available", return_value=True),
        patch("torch.cuda.set_device") as current,
        patch.object(TrainingArguments, "device", torch.device("cuda:0")),
        patch.object(TrainingArguments, "_n_gpu", 4, create=True),
    ):
        alone = arguments_for(run, config, "cuda:1", 1)
        assert (alone.device, alone.n_gpu, alone.train_batch_size) == (torch.device("cuda:1"), 1, config.batch)
        current.assert_called_once_with(torch.device("cuda:1"))
        assert arguments_for(run, config, "cuda", 1).device == torch.device("cuda:0")
        assert arguments_for(run, config, "cuda", 2).device == torch.device("cuda:0")


def test_answers_about_left_out_speakers_choose_the_epoch(home: Settings, speech_manifest: Path) -> None:
    """A random model answers nothing that can be read: all epochs are equally good, and the first stays. The run is
    stopped within it first, which measures nothing."""
    from safetensors.torch import load_file
    from transformers import Trainer

    config = config_of(
        speech_manifest, limit=2, epochs=2, validation_share=0.4, validation="figures", best_epoch=True,
        evaluation_limit=1,
    )  # fmt: skip
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="chosen", config=config)
    whole_step = Trainer.training_step

    def step(self: Trainer, *given: object, **named: object) -> torch.Tensor:
        run.request_stop()
        return whole_step(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 4)
        patch.setattr(Trainer, "training_step", step)
        with pytest.raises(TrainingError, match=f"--resume {run.id}"):
            train_speechllm(home, config, run)
        assert {line["event"] for line in run.metrics()} == {"step"}
        patch.setattr(Trainer, "training_step", whole_step)
        run.withdraw_stop()
        report = train_speechllm(home, config, run)
    assert report["epoch"] == 1
    lines = [line for line in run.metrics() if line["event"] == "epoch"]
    assert [(line["epoch"], line["metrics"]["validation_per"]) for line in lines if "metrics" in line] == [
        (1, 1.0), (2, 1.0),
    ]  # fmt: skip
    assert [line["epoch"] for line in lines if "table3" in line] == [1], "the part that is measured on is asked once"
    assert sorted(path.parent.name for path in run.path.glob("epoch-*/validation_answers.jsonl")) == [
        "epoch-1", "epoch-2",
    ]  # fmt: skip
    first, last = sorted((run.path / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    kept, chosen, other = (
        load_file(folder / "adapter_model.safetensors") for folder in (run.path / "model", first, last)
    )
    assert all(torch.equal(kept[name], chosen[name]) for name in kept)
    assert any(not torch.equal(kept[name], other[name]) for name in kept)
    info = load_info(run.path / "model")
    assert (info.n_speakers, len(info.speakers)) == (1, 3), "speakers who chose the epoch are no test of it"
    plan = report["plan"]
    assert (plan.n_evaluated, plan.n_at_end) == (12, 2)
    assert plan.text().endswith("for answering 12 samples per epoch and 2 at the end")


def test_the_choice_weighs_the_total_score_and_the_phones() -> None:
    measured = SpeechLlmFigures(
        utterance={"total": Correlated(0.5, None, None, 3)}, wer=None, per=0.7, phone_match={}, mdd={}, n={},
        unparsed={},
    )  # fmt: skip
    assert chooses(measured) == pytest.approx(0.4)
    assert chooses(replace(measured, per=None)) == 0.5
    assert chooses(replace(measured, utterance={"total": Correlated(None, None, None, 3)})) == pytest.approx(0.15)


def test_one_speaker_alone_cannot_be_left_out(corpus: Corpus, speech_manifest: Path) -> None:
    alone = corpus.of_rows(np.array([name == "s0" for name in corpus.rows["speaker"]]))
    with pytest.raises(TrainingError, match=r"--validation-share 0 --last-epoch\.$"):
        leave_out(alone, config_of(speech_manifest, validation_share=0.2))


def test_answers_are_written_in_smaller_batches_where_the_memory_does_not_suffice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def generate(_: object, items: list[int]) -> list[str]:
        sizes.append(len(items))
        if len(items) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return [str(item) for item in items]

    monkeypatch.setattr("pipeline.speechllm.generation.generate", generate)
    limit = 2
    phi4: Any = None
    assert generate_halving(phi4, range(5), list, batch=8) == ["0", "1", "2", "3", "4"]
    assert sizes == [5, 4, 2, 2, 1]
    limit = 0
    with pytest.raises(torch.OutOfMemoryError):
        generate_halving(phi4, range(2), list, batch=8)


def test_zero_shot_measures_the_model_as_it_is(home: Settings, speech_manifest: Path) -> None:
    config = config_of(speech_manifest, adapter="none", epochs=0, limit=2, evaluation_limit=1)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="zero", config=config)
    report = train_speechllm(home, config, run)
    assert report["table3"]["per"].paper == 0.792
    assert report["figures"].unparsed == {"apa": 1, "mdd": 1}
    assert not (run.path / "checkpoints").exists()


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"])
def test_a_damaged_checkpoint_is_named_before_it_is_loaded(tmp_path: Path, finished: RunDirectory, name: str) -> None:
    from pipeline.speechllm.train import _check_checkpoint

    (whole,) = sorted((finished.path / "checkpoints").glob("checkpoint-*"))[-1:]
    copy = tmp_path / whole.name
    shutil.copytree(whole, copy)
    _check_checkpoint(copy)
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match=f"checkpoint {copy} is damaged"):
        _check_checkpoint(copy)


def test_the_loss_falls_and_eight_samples_can_be_learnt_by_heart(corpus: Corpus, speech_manifest: Path) -> None:
    torch.manual_seed(0)
    phi4, config = tiny(speech_manifest)
    # Short instructions: a step takes a fifth of the time, and the answers are what is learnt.
    collator = Collator(corpus, SHORT, phi4, config.max_length)
    samples = samples_of(corpus, 4)
    batch = collator(samples)
    optimiser = torch.optim.Adam([p for p in phi4.model.parameters() if p.requires_grad], lr=4e-3)
    losses: list[float] = []
    while len(losses) < 400 and (not losses or losses[-1] > 2e-3):
        loss = phi4.model(**batch).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(phi4.model.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 5.0
    found = answer_all(collator, samples, batch=3)
    assert [a.answer for a in found] == [s.answer for s in samples]
    assert all(a.read for a in found)
    judged = figures(collator, samples, found)
    assert (judged.wer, judged.per, judged.phone_match["f1"]) == (0.0, 0.0, 1.0)


def test_only_the_answer_is_learnt(corpus: Corpus, speech_manifest: Path) -> None:
    phi4, config = tiny(speech_manifest)
    collator = Collator(corpus, load_prompts(), phi4, config.max_length)
    samples = samples_of(corpus, 3)
    batch = collator(samples)
    for row, sample in enumerate(samples):
        learnt = batch["labels"][row] != IGNORED
        said = phi4.tokenizer.decode(batch["labels"][row][learnt])
        assert said == sample.answer + "<|end|>"
        places = batch["logits_to_keep"][learnt]
        assert torch.equal(batch["input_ids"][row][places], batch["labels"][row][learnt])
        inside = batch["attention_mask"][row].bool()
        assert inside[places].all()
        text = phi4.tokenizer.decode(batch["input_ids"][row][inside])
        assert text.startswith("<|user|><|APA|>" if sample.task == "apa" else "<|user|><|MDD|>")
        assert text.count("<|audio|>") == int(batch["audio_embed_sizes"][row])
    generation = collator.for_generation(samples)
    assert bool((generation["attention_mask"][:, -1] == 1).all()), "padding must come first"
    assert "audio_attention_mask" not in collator(samples[:1])
    with pytest.raises(TrainingError, match="more than max_length 100"):
        Collator(corpus, load_prompts(), phi4, 100)(samples)


def test_scores_are_computed_where_answers_are_and_the_loss_is_the_same(corpus: Corpus, speech_manifest: Path) -> None:
    phi4, config = tiny(speech_manifest, adapter="fresh")
    phi4.model.eval()
    batch = Collator(corpus, load_prompts(), phi4, config.max_length)(samples_of(corpus, 3))
    kept = batch["logits_to_keep"]
    n_rows, n_places = batch["input_ids"].shape
    everywhere = torch.full((n_rows, n_places), IGNORED)
    everywhere[:, kept] = batch["labels"]
    assert len(kept) < n_places / 2
    assert sorted({sample.task for sample in samples_of(corpus, 3)}) == ["apa", "mdd"], "answers begin far apart"
    whole = phi4.model(**{**batch, "labels": everywhere, "logits_to_keep": 0})
    chosen = phi4.model(**batch)
    assert chosen.logits.shape == (n_rows, len(kept), whole.logits.shape[-1])
    assert torch.allclose(chosen.logits, whole.logits[:, kept], atol=1e-5)
    assert float(chosen.loss.detach()) == pytest.approx(float(whole.loss.detach()), abs=1e-5)


def test_padding_of_the_text_changes_nothing(corpus: Corpus, speech_manifest: Path) -> None:
    """Both tasks on one recording. (Recordings of other lengths change each other's ends a little: the audio encoder's
    convolutions reach into the padding.)"""
    phi4, config = tiny(speech_manifest, adapter="fresh")
    phi4.model.eval()
    collator = Collator(corpus, load_prompts(), phi4, config.max_length)
    samples = samples_of(corpus, 1)
    assert [sample.task for sample in samples] == ["apa", "mdd"]
    with torch.inference_mode():
        batch = collator(samples)
        together = phi4.model(**batch).logits
        for row, sample in enumerate(samples):
            single = collator([sample])
            alone = phi4.model(**single).logits[0]
            shared = torch.isin(batch["logits_to_keep"], single["logits_to_keep"])
            assert torch.allclose(alone, together[row, shared], atol=1e-3), sample


def test_four_bits(corpus: Corpus, speech_manifest: Path) -> None:
    phi4, config = tiny(speech_manifest, adapter="fresh", bits=4)
    base = [p for name, p in phi4.model.named_parameters() if "layers" in name and "base_layer" in name]
    assert base and all(p.dtype == torch.uint8 for p in base)
    batch = Collator(corpus, load_prompts(), phi4, config.max_length)(samples_of(corpus, 1))
    loss = phi4.model(**batch).loss
    loss.backward()
    norms = [p.grad.norm() for p in phi4.model.parameters() if p.requires_grad and p.grad is not None]
    assert len(norms) == 16
    assert sum(norms) > 0


def test_unread_answers_count_against_the_model(corpus: Corpus, speech_manifest: Path) -> None:
    phi4, config = tiny(speech_manifest)
    collator = Collator(corpus, load_prompts(), phi4, config.max_length)
    samples = samples_of(corpus)
    right = [Answered(str(n), s.task, s.answer, s.answer, True) for n, s in enumerate(samples)]
    # The second half of both tasks is nonsense.
    half = [a if n < len(samples) // 2 else replace(a, answer="I cannot say.", read=False) for n, a in enumerate(right)]
    best, worse = figures(collator, samples, right), figures(collator, samples, half)
    assert best.unparsed == {"apa": 0, "mdd": 0}
    assert worse.unparsed == {"apa": 6, "mdd": 6}
    assert best.per == 0.0
    assert 0.4 < (worse.per or 0) < 0.7
    assert (worse.utterance["total"].pcc or 0.0) < (best.utterance["total"].pcc or 0.0)
    assert best.utterance["total"].pcc == pytest.approx(1.0, abs=0.05)  # targets are rounded
    assert best.utterance["total"].p_value == pytest.approx(0.0, abs=1e-6)
    beside = table3(best, "LoRA", 3)
    assert beside["f1"].ours == 1.0
    assert beside["f1"].within_5_percent is False
    assert beside["per"].difference == pytest.approx(-0.114)


def test_the_plan_says_what_it_takes_and_refuses_what_cannot_be(corpus: Corpus, speech_manifest: Path) -> None:
    phi4, config = tiny(speech_manifest, adapter="fresh")
    samples = samples_of(corpus)
    plan = make_plan(phi4, config, samples, [400, 500])
    assert plan.n_trained == sum(p.numel() for p in phi4.model.parameters() if p.requires_grad)
    assert plan.steps == config.epochs * len(samples) // 2
    assert "trains 13,312 of 442,720 parameters" in plan.text()
    refuse_impossible(plan, config)
    small = replace(config, memory_gb=1e-3)
    with pytest.raises(
        TrainingError, match=r"has 0\.0 GB\. What would help: batch 1 .*, gradient checkpointing, a 4-bit"
    ):
        refuse_impossible(make_plan(phi4, small, samples, [400, 500]), small)


def test_data_is_kept_and_made_anew_where_it_is_damaged(tmp_path: Path, speech_manifest: Path) -> None:
    place = tmp_path / "corpus"
    shutil.copytree(speech_manifest.parent, place)
    home = Settings(tmp_path / "data", tmp_path / "models")
    first = load_corpus(home, of_manifest(None, place / "manifest.jsonl"), "train")
    assert len(first.rows) == 12
    assert first.rows[0]["heard"] is not None
    kept, held = hold_out(first)
    assert not set(kept.rows["speaker"]) & set(held.rows["speaker"])
    assert len(kept.rows) + len(held.rows) == 12

    next(place.glob("*.wav")).rename(place / "gone")  # decoded before: not needed any more
    assert len(load_corpus(home, of_manifest(None, place / "manifest.jsonl"), "train").rows) == 12
    for file in (home.features_root / "speechllm").rglob("*.arrow"):
        file.write_bytes(b"no")
    with pytest.raises(TrainingError, match="1 of 12 recordings cannot be read"):
        load_corpus(home, of_manifest(None, place / "manifest.jsonl"), "train")
    with pytest.raises(CorpusError, match=r"no recordings in part 'other'. It has the parts train"):
        load_corpus(home, of_manifest(None, place / "manifest.jsonl"), "other")


def test_parts_with_common_speakers_are_refused(home: Settings, speech_manifest: Path) -> None:
    config = config_of(speech_manifest, evaluation_part="train", evaluation_limit=0)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="same", config=config)
    with pytest.raises(TrainingError, match="4 speakers are in part 'train' and in 'train'"):
        train_speechllm(home, config, run)


def test_missing_packages_are_named(home: Settings, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in ("peft", "bitsandbytes") else name)
    config = config_of(speech_manifest)
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="bare", config=config)
    with pytest.raises(JobError, match=r"needs peft: `\S*pip install 'pronlab\[speechllm\]'`"):
        train_speechllm(home, config, run)


def test_settings_are_checked_all_at_once() -> None:
    with pytest.raises(TrainingError) as caught:
        SpeechLlmConfig(adapter="unfreeze", bits=4, r=0, schedule="steps", trackers="wandb,excel")
    wrong = (
        "give either a set or a manifest",
        "schedule is one of",
        "4-bit weights cannot be unfrozen",
        "r lies in 1-",
        "trackers are tensorboard, wandb, mlflow, got 'excel'",
    )
    for part in wrong:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"epochs": 0}, "epochs 0 goes with adapter none"),
        ({"adapter": "none"}, "epochs 0 goes with adapter none"),
        ({"adapter": "pretrained", "merge_speech": True}, "merge_speech does not go with adapter pretrained"),
        ({"best_epoch": True}, "set validation_share"),
        ({"rubric_file": "a", "prompt_file": "b"}, "either a rubric_file or a prompt_file"),
        ({"attention": "flash"}, "attention is one of auto, flash_attention_2, sdpa, eager"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(TrainingError, match=told):
        SpeechLlmConfig(manifest="m", **settings)


def test_a_smaller_batch_keeps_the_step() -> None:
    sizes = []
    config: SpeechLlmConfig | None = SpeechLlmConfig(manifest="m", batch=12, accumulation=2)
    while config is not None:
        sizes.append((config.batch, config.accumulation))
        config = config.with_smaller_batch()
    assert sizes == [(12, 2), (6, 4), (3, 8), (1, 24)]


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_can_be_used(name: str) -> None:
    config = SpeechLlmConfig(**{**load_preset(name), "manifest": "m"})
    if name not in BUILT_IN:
        effective = (config.batch, config.accumulation, config.rate, config.epochs, config.max_length)
        assert effective == (8, 8, 2e-5, 0 if name == "zero_shot" else 3, 2048)
        assert config.alpha == 2 * config.r
    assert np.isfinite(config.rate)
