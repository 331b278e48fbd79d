"""Phi-4-multimodal as it is published: its attention, the layouts of its own adapter, its shape, what is trained."""

import json
import re
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from pipeline.devices import find_device, gpu_of
from pipeline.errors import ModelError, TrainingError
from pipeline.labels.corpus_source import of_manifest
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.speechllm import attention, plan
from pipeline.speechllm.adapter_files import SPEECH_ADAPTER, read_shape
from pipeline.speechllm.adapters import attach_adapter, targets_in, trainable
from pipeline.speechllm.batching import Buckets
from pipeline.speechllm.collator import Collator, prompt_batch
from pipeline.speechllm.config import FLASH, SpeechLlmConfig, load_preset
from pipeline.speechllm.dry_run import outline, plan_ahead
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.model_files import load_info
from pipeline.speechllm.notes import notes_on
from pipeline.speechllm.phi4 import Phi4
from pipeline.speechllm.plan import available_gb, make_plan, memory_gb, scoring_gb
from pipeline.speechllm.prompts import load_prompts
from pipeline.speechllm.recognition import load_for_scoring
from pipeline.speechllm.samples import Corpus, load_corpus, samples_of
from pipeline.speechllm.shape import bare_model
from pipeline.speechllm.train import train_speechllm

SHORT = replace(load_prompts(), apa="Rate it.", mdd="Write it down.")


def config_of(**changed: object) -> SpeechLlmConfig:
    values = {**load_preset("tiny"), "manifest": "m", "evaluation_part": "", "checkpointing": False, "adapter": "fresh"}
    return SpeechLlmConfig(**{**values, **changed})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, speech_manifest: Path) -> Corpus:
    root = tmp_path_factory.mktemp("model")
    return load_corpus(Settings(root / "data", root / "models"), of_manifest(None, speech_manifest), "train")


Change = Callable[[dict[str, Any], dict[str, torch.Tensor]], tuple[dict[str, Any], dict[str, torch.Tensor]]]


def changed(published: Path, folder: Path, change: Change) -> SpeechLlmConfig:
    """The checkpoint with another layout of its adapter."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(published, folder)
    settings_file, weights_file = (folder / SPEECH_ADAPTER / name for name in FILES)
    settings, weights = change(json.loads(settings_file.read_text(encoding="utf-8")), load_file(weights_file))
    settings_file.write_text(json.dumps(settings), encoding="utf-8")
    save_file(weights, weights_file)
    return config_of(model=str(folder), revision="", adapter="pretrained")


FILES = ("adapter_config.json", "adapter_model.safetensors")
PREFIX = "base_model.model."
REMOTE = r"(layers.*((self_attn\.(qkv|o)_proj)|(mlp\.(gate_up|down)_proj)))"
BARE_NAMES = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]


def renamed(old: str, new: str) -> Change:
    return lambda settings, weights: (settings, {name.replace(old, new): value for name, value in weights.items()})


LAYOUTS: dict[str, tuple[Change, str]] = {
    "as PEFT writes it": (lambda settings, weights: (settings, weights), "as PEFT writes it"),
    "no prefix": (renamed(PREFIX, ""), "keys without base_model.model."),
    "no model": (renamed(f"{PREFIX}model.", ""), "keys without base_model.model."),
    "speech": (renamed(".weight", ".speech.weight"), "keys with .speech."),
    "bare names": (lambda s, w: ({**s, "target_modules": BARE_NAMES}, w), "targets as bare names"),
    "remote code": (lambda s, w: ({**s, "target_modules": REMOTE}, w), "an expression for the remote code's modules"),
    "all of it": (
        lambda s, w: (
            {**s, "target_modules": REMOTE},
            {n.removeprefix(PREFIX).replace(".weight", ".speech.weight"): v for n, v in w.items()},
        ),
        "keys without base_model.model.; keys with .speech.; targets as an expression",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_checkpoints_own_adapter_is_read_in_every_layout(layout: str, published: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    change, told = LAYOUTS[layout]
    config = changed(published, tmp_path / "checkpoint", change)
    loaded = attach_adapter(load_phi4(config, "cpu"), config).model
    stored = load_file(published / SPEECH_ADAPTER / FILES[1])
    there = dict(loaded.named_parameters())
    for name, tensor in stored.items():
        assert torch.equal(there[name.replace(".weight", ".default.weight")].detach(), tensor), name
    assert sum(p.requires_grad for p in loaded.parameters()) == len(stored) == 16
    shape = read_shape(config)
    assert told in shape.text()
    assert (shape.r, shape.alpha, shape.dropout) == (4, 12.0, 0.25)


def test_the_walk_from_a_published_checkpoint_to_table_3(
    published: Path, tmp_path: Path, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the adapter in the layout of the remote code: plan, training, measuring, and the model loaded again."""
    monkeypatch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 8)
    change, _ = LAYOUTS["all of it"]
    config = changed(published, tmp_path / "checkpoint", change)
    config = replace(config, manifest=str(speech_manifest), limit=1, evaluation_limit=1, epochs=1)
    home = Settings(tmp_path / "data", tmp_path / "models")
    ahead = plan_ahead(home, config, gpu="L4")
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="walk", config=config)
    report = train_speechllm(home, config, run)
    told = "continues with its own speech adapter: keys without base_model.model.; keys with .speech."
    for text in (ahead.text, report["plan"].text(), run.log_tail()):
        assert told in text
        assert "the checkpoint's adapter stands, with r 4 (not 8)" in text
    assert ahead.plan.n_trained == report["plan"].n_trained
    assert report["table3"]["per"].paper == 0.137  # LoRA, epoch 1
    assert "| per |" in (run.path / "table3.md").read_text(encoding="utf-8")
    info = load_info(run.path / "model")
    again = load_for_scoring(run.path / "model", info.config(run.path / "model"), "cpu").model
    assert lora_size(again) > 0


def test_a_model_that_was_trained_whole_is_a_checkpoint_again(
    tmp_path: Path, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 8)
    config = config_of(
        adapter="full", manifest=str(speech_manifest), limit=1, evaluation_limit=1, epochs=1, warmup_share=0.0
    )
    home = Settings(tmp_path / "data", tmp_path / "models")
    run = RunDirectory.create(home.runs_root, kind="speechllm", name="whole", config=config)
    train_speechllm(home, config, run)
    folder = run.path / "model"
    again = load_for_scoring(folder, load_info(folder).config(folder), "cpu").model
    name = "model.layers.0.mlp.down_proj.weight"
    start, trained = (dict(model.named_parameters())[name] for model in (load_phi4(config, "cpu").model, again))
    assert trained.dtype == torch.float32
    assert not torch.equal(start, trained)


def test_what_a_loaded_adapter_overrides_is_told(published: Path) -> None:
    config = config_of(model=str(published), adapter="pretrained", r=320, alpha=640, dropout=0.25)
    notes = notes_on(config, read_shape(config), 1000)
    assert notes[0] == "continues with its own speech adapter: as PEFT writes it"
    assert notes[1] == "the checkpoint's adapter stands, with r 4 (not 320), alpha 12 (not 640)"
    assert "shown once the checkpoint is there" in notes_on(config, None, 1000)[0]


def test_adapters_that_change_nothing_or_do_not_fit_are_refused(published: Path, tmp_path: Path) -> None:
    def one_zero(settings: dict[str, Any], weights: dict[str, torch.Tensor]) -> tuple[dict[str, Any], Any]:
        first = next(name for name in weights if "lora_B" in name)
        return settings, {**weights, first: torch.zeros_like(weights[first])}

    config = changed(published, tmp_path / "zero", one_zero)
    with pytest.raises(ModelError, match=r"1 of 8 weights of the adapter .* is all zeros"):
        attach_adapter(load_phi4(config, "cpu"), config)
    for name, change, told in (
        ("half", lambda s, w: (s, {n: t for n, t in w.items() if "lora_A" in n}), "is incomplete: 8 weights A, 0"),
        ("other", lambda s, w: (s, {**w, "x": torch.ones(1)}), "LoRA weights of the language model and 1 other, "),
        ("alpha", lambda s, w: ({k: v for k, v in s.items() if k != "lora_alpha"}, w), "does not say .* lora_alpha"),
        ("layer", renamed("layers.1.", "layers.7."), "for model.layers.7.mlp.down_proj, which this model does not"),
    ):
        config = changed(published, tmp_path / name, change)
        with pytest.raises(ModelError, match=told):
            attach_adapter(Phi4(bare_model(config).model, None, None), config)
    shutil.rmtree(tmp_path / "half" / SPEECH_ADAPTER)
    with pytest.raises(ModelError, match=rf"no adapter in {SPEECH_ADAPTER}/: adapter_config\.json is missing\. Take"):
        read_shape(config_of(model=str(tmp_path / "half"), adapter="pretrained"))


def lora_size(model: torch.nn.Module) -> float:
    """The sum of |B| over all LoRA weights: 0 for one that changes nothing."""
    return float(sum(p.detach().abs().sum().item() for name, p in model.named_parameters() if "lora_B" in name))


@pytest.mark.parametrize("bits", [16, 4])
def test_the_speech_adapter_is_merged_before_a_fresh_lora(bits: int, published: Path) -> None:
    config = config_of(model=str(published), revision="", merge_speech=True, bits=bits)
    plain = load_phi4(replace(config, merge_speech=False), "cpu").model
    merged = attach_adapter(load_phi4(config, "cpu"), config).model
    name = "model.layers.0.self_attn.o_proj"
    before, after = plain.get_submodule(name), merged.get_submodule(f"{PREFIX}{name}").base_layer
    assert not torch.equal(before.weight, after.weight)
    assert sum(p.requires_grad for p in merged.parameters()) == 16
    assert lora_size(merged) == 0.0  # the fresh one


def test_a_run_is_not_told_of_names_that_will_change() -> None:
    config = config_of(checkpointing=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        assert attach_adapter(load_phi4(config, "cpu"), config).model.is_activation_checkpointing


@pytest.mark.parametrize("adapter", ["fresh", "unfreeze", "full", "none"])
def test_exactly_what_should_be_trained_is(adapter: str) -> None:
    config = config_of(adapter=adapter, epochs=0 if adapter == "none" else 1)
    model = attach_adapter(load_phi4(config, "cpu"), config).model
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert sum("lora_" in name for name in trained) == (16 if adapter in ("fresh", "unfreeze") else 0)
    assert any("audio_embed" in name for name in trained) == (adapter in ("unfreeze", "full"))
    assert any("embed_tokens.weight" in name for name in trained) == (adapter == "full")
    assert not any("image_embed" in name for name in trained)


def test_targets_are_settings() -> None:
    model = load_phi4(config_of(), "cpu").model
    assert len(targets_in(model, config_of(lora_targets="qkv_proj, o_proj"))) == 4
    audio = r"model\.embed_tokens_extend\.audio_embed\..*\.(q|v)_proj"
    assert len(targets_in(model, config_of(lora_targets=audio))) == 4
    for targets, told in (("q_proj", "No module of the model fits"), ("layers.(", "no regular expression")):
        with pytest.raises(ModelError, match=told):
            targets_in(model, config_of(lora_targets=targets))
    whole = config_of(lora_targets="o_proj", modules_to_save="lm_head")
    attached = attach_adapter(load_phi4(whole, "cpu"), whole).model
    trained = [name for name, p in attached.named_parameters() if p.requires_grad]
    assert len(trained) == 5
    assert sum("lm_head" in name for name in trained) == 1


def test_flash_attention_is_for_the_language_model_alone(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(attention="auto")
    phi4 = attach_adapter(load_phi4(config, "cpu"), config)
    batch = Collator(corpus, SHORT, phi4, 2048)(samples_of(corpus, 2))
    audio = phi4.model.base_model.model.model.embed_tokens_extend.audio_embed.encoder
    lines: list[str] = []

    def settle(choice: str) -> tuple[str, str, str]:
        settled = attention.settle(phi4.model, choice, lambda: batch, lines.append)
        return settled, phi4.model.config._attn_implementation, audio.config._attn_implementation

    assert settle("auto") == ("sdpa", "sdpa", "sdpa")
    assert "it needs a CUDA device" in lines[-1]
    with pytest.raises(ModelError, match=r"cannot be used: it needs a CUDA device.*attention=sdpa"):
        settle(FLASH)
    assert settle("eager")[0] == "eager"
    # It is said to be there, and is not: the trial fails, and all is as before.
    monkeypatch.setattr(attention, "obstacle", lambda device: None)
    assert settle("auto") == ("sdpa", "sdpa", "sdpa")
    assert "a trial batch failed (ImportError" in lines[-1]
    # The trial works: another kernel stands for it, as there is no GPU.
    monkeypatch.setattr(attention, "FLASH", "eager")
    assert settle("auto") == ("eager", "eager", "sdpa")
    assert "a trial batch worked" in lines[-1]


def test_the_audio_encoders_mask_breaks_unpadding(corpus: Corpus) -> None:
    """Why it stays on `sdpa`: its mask is a float bias of four dimensions."""
    from transformers.modeling_flash_attention_utils import _unpad_input, _upad_input

    phi4 = load_phi4(config_of(), "cpu")
    batch = Collator(corpus, SHORT, phi4, 2048)(samples_of(corpus, 2))
    seen: list[torch.Tensor] = []
    layer = phi4.model.model.embed_tokens_extend.audio_embed.encoder.encoders[0].self_attn
    layer.register_forward_pre_hook(lambda module, given: seen.append(given[1]))
    with torch.inference_mode():
        phi4.model(**batch)
    (mask,) = seen
    assert mask.ndim == 4 and mask.is_floating_point()
    n = mask.shape[-1]
    states = torch.zeros(mask.shape[0], n, 4, 16)
    with pytest.raises(IndexError, match="out of bounds"):
        _upad_input(states, states, states, mask, n, _unpad_input)


def test_padding_moves_what_is_computed_and_buckets_avoid_it(corpus: Corpus) -> None:
    phi4 = load_phi4(config_of(), "cpu")
    phi4.model.eval()
    collator = Collator(corpus, SHORT, phi4, 2048)
    samples = [sample for sample in samples_of(corpus) if sample.task == "apa"]
    lengths = corpus.rows["n_samples"]
    short = min(samples, key=lambda sample: lengths[sample.row])
    long = max(samples, key=lambda sample: lengths[sample.row])

    def first_token(*batch: Any) -> torch.Tensor:
        with torch.inference_mode():
            logits = phi4.model(**collator.for_generation(batch)).logits
        return logits[0, -1].float()

    alone, mixed, like = first_token(short), first_token(short, long), first_token(short, short)
    moved = float((alone - mixed).abs().max())
    assert moved > 0.01, "padding moves nothing any more: buckets are not needed"
    assert float((alone - like).abs().max()) < 1e-3


def test_recordings_of_like_length_share_a_batch() -> None:
    """Transformers' front end fails where one is shorter than the longest by less than half a frame's step (5 ms): one
    of ten batches of speechocean762. Each is heard as it is alone, and what is filled up is silence."""
    phi4 = load_phi4(config_of(), "cpu")
    noise = np.random.default_rng(0).standard_normal(16_079).astype(np.float32)
    waves = [noise, noise[:16_000], noise[:9_000]]
    with pytest.raises(RuntimeError, match="must match the size"):
        phi4.front_end(waves, sampling_rate=16_000, return_tensors="pt")
    together = prompt_batch(phi4, SHORT, [("apa", wave) for wave in waves])
    for k, wave in enumerate(waves):
        alone = prompt_batch(phi4, SHORT, [("apa", wave)])
        heard = alone["audio_input_features"][0]
        assert torch.equal(together["audio_input_features"][k, : len(heard)], heard)
        assert not together["audio_input_features"][k, len(heard) :].any()
        assert together["audio_attention_mask"][k].sum() == len(heard)
        assert together["audio_embed_sizes"][k] == alone["audio_embed_sizes"][0]
    assert "audio_attention_mask" not in alone


def test_buckets_are_of_like_length_and_drawn_from_seed_and_epoch() -> None:
    lengths = np.random.default_rng(0).integers(1, 1000, 403)
    tasks = ["mdd" if k % 2 else "apa" for k in range(403)]
    order = Buckets(lengths, tasks, 4, seed=1)
    first = list(order)
    assert sorted(first) == list(range(403)) and list(order) == first
    order.set_epoch(1)
    assert list(order) != first and list(Buckets(lengths, tasks, 4, seed=2)) != first
    steps = list(Buckets(lengths, tasks, 32, seed=1))
    spread = [np.ptp(lengths[steps[k : k + 4]]) for k in range(0, 256, 4)]
    assert np.mean(spread) < 80
    of_batches = [{tasks[n] for n in steps[k : k + 4]} for k in range(0, 384, 4)]
    assert sum(len(found) > 1 for found in of_batches) <= 384 // 32, "at most one batch of a step has both tasks"
    assert all({tasks[n] for n in steps[k : k + 32]} == {"apa", "mdd"} for k in range(0, 384, 32))
    assert np.std([lengths[steps[k]] for k in range(0, 256, 32)]) > 200, "steps come in random order"


def by_arithmetic(shape: Any) -> dict[str, int]:
    """Numbers of the language model, of one layer's four projections, and of the audio encoder's blocks."""
    width, head = shape.hidden_size, shape.hidden_size // shape.num_attention_heads
    qkv = width * (shape.num_attention_heads + 2 * shape.num_key_value_heads) * head
    layer = qkv + width * width + 3 * width * shape.intermediate_size
    embedding = shape.vocab_size * width
    language = embedding * (1 if shape.tie_word_embeddings else 2) + shape.num_hidden_layers * layer
    audio = shape.audio_config
    block = 4 * audio.hidden_size**2 + 2 * 3 * audio.hidden_size * audio.intermediate_size
    block += 3 * audio.hidden_size * audio.ext_pw_out_channel
    projectors = 2 * (audio.hidden_size * width + width * width)
    vision = shape.vision_config
    patches = 4 * vision.hidden_size**2 + 2 * vision.hidden_size * vision.intermediate_size
    seen = (vision.num_hidden_layers + 1) * patches + vision.hidden_size * width + width * width
    return {"language": language, "audio": audio.num_blocks * block + projectors, "vision": seen}


@pytest.fixture(scope="module")
def paper() -> tuple[SpeechLlmConfig, Phi4]:
    """The paper's arm at its true size, without numbers."""
    config = SpeechLlmConfig(**{**load_preset("paper_r64"), "manifest": "m"})
    return config, outline(config)


def test_parameters_and_memory_follow_from_the_published_shape(paper: tuple[SpeechLlmConfig, Phi4]) -> None:
    config, phi4 = paper
    model = bare_model(config).model
    expected = sum(by_arithmetic(model.config).values())
    _, counted = trainable(model.parameters())
    assert counted == pytest.approx(expected, rel=0.03)
    assert counted == pytest.approx(4.74e9, rel=0.03)
    n_trained, _ = trainable(phi4.model.parameters())
    assert n_trained == 92_274_688
    assert scoring_gb(model, config) == pytest.approx(1.1 * 2 * expected / 1e9, rel=0.03)
    # Weights, what each trained number takes, each layer's input, and the logits where answers are.
    states = config.batch * (750 * 3072 * 2 * 32 + 210 * 200064 * 12)
    by_hand = 1.1 * (2 * expected + 4 * n_trained + 12 * n_trained + states) / 1e9
    assert memory_gb(phi4.model, config, 750) == pytest.approx(by_hand, rel=0.03)
    # Without checkpointing all layers' states; of a batch of one, what sixteen prompts and answers keep is more.
    kept = 4944 * 3072 * 50 * 32 + 8 * 210 * 200064 * 12
    assert memory_gb(phi4.model, replace(config, checkpointing=False), 618) == pytest.approx(
        1.1 * (2 * expected + 16 * n_trained + kept) / 1e9, rel=0.03
    )
    answering = 16 * (750 + 400) * 2 * 2 * 32 * 3072 * 8 / 24
    assert memory_gb(phi4.model, replace(config, batch=1), 750) == pytest.approx(
        1.1 * (2 * expected + 16 * n_trained + answering) / 1e9, rel=0.03
    )
    wide = SpeechLlmConfig(**{**load_preset("pretrained_r320"), "manifest": "m"})
    assert trainable(outline(wide).model.parameters())[0] == 5 * n_trained
    told = notes_on(wide, None, 5 * n_trained)
    assert any("830 M" in note and "369.1 M" in note for note in told)


# Allocated by an H100 at the peak, in GB: batch, checkpointing. Samples of 618 tokens, logits at every place.
H100_TOOK = {
    (2, True): 14.322, (4, True): 17.550, (8, True): 24.018, (16, True): 36.965, (32, True): 62.846,
    (2, False): 20.329, (4, False): 29.354, (8, False): 47.395,
}  # fmt: skip


def test_memory_is_what_an_h100_took(paper: tuple[SpeechLlmConfig, Phi4], monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/results/phi4-gpu.md; the headroom comes on top."""
    monkeypatch.setattr(plan, "ANSWER_PLACES", 618)
    config, phi4 = paper
    for (batch, checkpointing), took in H100_TOOK.items():
        expected = memory_gb(phi4.model, replace(config, batch=batch, checkpointing=checkpointing), 618)
        assert expected / plan.HEADROOM == pytest.approx(took, rel=0.02), (batch, checkpointing)


def test_a_folder_has_its_own_shape(published: Path) -> None:
    config = config_of(model=str(published))
    shape = bare_model(config).model.config
    assert (shape.hidden_size, shape.num_hidden_layers) == (64, 2)
    assert (
        trainable(bare_model(config).model.parameters())[1] == trainable(load_phi4(config, "cpu").model.parameters())[1]
    )


def test_models_that_cannot_be_used_are_named(
    published: Path, tmp_path: Path, tiny_encoder: Path, speech_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of()
    with pytest.raises(ModelError, match="no folder /nowhere"):
        load_phi4(replace(config, model="/nowhere"), "cpu")
    with pytest.raises(ModelError, match=r"is of type 'whisper'.*native weights: `--revision refs/pr/70`"):
        load_phi4(replace(config, model=str(tiny_encoder)), "cpu")
    remote = tmp_path / "remote"
    remote.mkdir()
    raw = {"model_type": "phi4mm", "auto_map": {"AutoConfig": "configuration_phi4mm.Phi4MMConfig"}}
    (remote / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    (remote / "configuration_phi4mm.py").write_text("raise SystemExit('this code was run')", encoding="utf-8")
    with pytest.raises(ModelError, match=r"only remote code .*never run.*--revision refs/pr/70"):
        load_phi4(replace(config, model=str(remote)), "cpu")
    home = Settings(tmp_path / "data", tmp_path / "models")
    planned = replace(config, model=str(remote), adapter="pretrained", manifest=str(speech_manifest))
    with pytest.raises(ModelError, match="only remote code"):
        plan_ahead(home, planned)
    # Of a hub name nothing is there to look into before transformers asks.
    asking = ValueError("The repository x contains custom code. Please pass the argument `trust_remote_code=True`.")
    with monkeypatch.context() as patch, pytest.raises(ModelError, match=r"only remote code .*--revision refs/pr/70"):
        patch.setattr("transformers.AutoConfig.from_pretrained", Mock(side_effect=asking))
        load_phi4(replace(config, model="microsoft/Phi-4-multimodal-instruct", revision="main"), "cpu")
    other = shutil.copytree(published, tmp_path / "other")
    raw = json.loads((other / "config.json").read_text(encoding="utf-8"))
    raw["audio_config"]["audio_token_id"] = 3
    (other / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(ModelError, match="Take the tokenizer of the same revision"):
        load_phi4(replace(config, model=str(other)), "cpu")


def test_remote_code_is_refused_at_every_call() -> None:
    """Each `from_pretrained` that could run code of a checkpoint is told not to."""
    from pipeline.settings import CHECKOUT

    for file in sorted((CHECKOUT / "pipeline" / "speechllm").glob("*.py")):
        for call in re.findall(r"Auto\w+\.from_pretrained\((.*?)\)\n", file.read_text(encoding="utf-8"), re.DOTALL):
            assert "trust_remote_code=False" in call, f"{file.name}: {call}"


@pytest.mark.parametrize(
    ("asked", "configured", "n_cuda", "mps", "chosen", "why"),
    [
        ("auto", "cpu", 0, False, "cpu", "found: PyTorch sees the CPU alone"),
        ("auto", "cpu", 2, False, "cuda", "found: PyTorch sees 2 CUDA devices"),
        ("auto", "cpu", 0, True, "mps", "found: PyTorch sees MPS"),
        ("auto", "cuda:1", 2, False, "cuda:1", "named by PRONLAB_DEVICE"),
        ("cpu", "cuda", 2, False, "cpu", "asked for"),
        ("cuda", "cpu", 0, False, "", "is not there: PyTorch sees the CPU alone"),
        ("cuda:3", "cpu", 2, False, "", "is not there: PyTorch sees 2 CUDA devices"),
        ("tpu", "cpu", 0, False, "", "There is no device 'tpu'"),
    ],
)
def test_devices_are_found(
    asked: str, configured: str, n_cuda: int, mps: bool, chosen: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: bool(n_cuda))
    monkeypatch.setattr("torch.cuda.device_count", lambda: n_cuda)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda index: f"GPU {index}")
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)
    if not chosen:
        with pytest.raises(TrainingError, match=why):
            find_device(asked, configured)
        return
    device = find_device(asked, configured)
    assert device.name == chosen
    assert why in device.text


def test_gpus_are_known_by_the_names_they_go_by() -> None:
    for text in ("A100 80GB", "a100 80 gb", "NVIDIA A100-SXM4-80GB"):
        assert gpu_of(text).name == "A100 80GB"
    assert gpu_of("H100").memory_gb == 80
    with pytest.raises(TrainingError, match=r"'A100' names 2 GPUs.*A100 40GB, A100 80GB"):
        gpu_of("A100")
    with pytest.raises(TrainingError, match="names 0 GPUs"):
        gpu_of("Voodoo 2")


def test_what_others_hold_of_a_gpu_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (50e9, 80e9))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 10e9)
    assert available_gb(torch.device("cuda")) == 60


def test_a_plan_for_another_gpu_has_its_memory_and_time(paper: tuple[SpeechLlmConfig, Phi4], corpus: Corpus) -> None:
    (config, phi4), samples = paper, samples_of(corpus)
    large, small = (
        make_plan(phi4, config, samples, [700], n_evaluated=5000, gpu=gpu_of(name), device=torch.device("cpu"))
        for name in ("H100 80GB", "A100 40GB")
    )
    assert (large.device, large.available_gb, small.available_gb) == ("H100 80GB", 80, 40)
    assert large.hours * 989 == pytest.approx(small.hours * 312)
    assert 0 < large.evaluation_hours < small.evaluation_hours
    assert "for answering 5,000 samples after each epoch" in large.text()
