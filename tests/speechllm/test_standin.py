"""The stand-in: Phi-4's classes small enough to learn on a processor, from preset to Table 3."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import ModelError
from pipeline.labels.corpus_source import of_manifest
from pipeline.phones import PHONES, UNKNOWN
from pipeline.runs import RunDirectory
from pipeline.settings import Settings
from pipeline.speechllm.adapters import attach_adapter
from pipeline.speechllm.collator import Collator, prompt_batch
from pipeline.speechllm.config import SpeechLlmConfig, load_preset
from pipeline.speechllm.evaluate import answer_all, figures
from pipeline.speechllm.listening import FRAMES_PER_PLACE, N_FEATURES, ListenerFeatures, combined, condensed
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.model_files import load_info
from pipeline.speechllm.phi4 import load_checkpoint
from pipeline.speechllm.prompts import TASKS, Prompts, apa_answer, load_prompts, mdd_answer
from pipeline.speechllm.samples import load_corpus, samples_of
from pipeline.speechllm.standin import made_up_speech, standin_tokenizer
from pipeline.speechllm.train import train_speechllm


def config_of(manifest: Path, **changed: object) -> SpeechLlmConfig:
    return SpeechLlmConfig(**{**load_preset("standin"), "manifest": str(manifest), "evaluation_part": "", **changed})


def test_prompts_and_answers_are_few_tokens_and_come_back_as_they_were() -> None:
    tokenizer = standin_tokenizer()
    prompts = load_prompts()
    scores = apa_answer({"accuracy": 8, "fluency": 10, "prosodic": 3, "total": 0})
    transcripts = mdd_answer(["we", "don't"], ["W", "IY", "D", "OW", "N", "T", "<unk>"])
    lengths = []
    for text in (*(prompts.turn(task, 2) for task in TASKS), scores, transcripts):
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tokenizer.decode(tokens) == text
        lengths.append(len(tokens))
    assert max(lengths[:3]) <= 20
    assert lengths[2] == 9  # four numbers between five pieces


def test_features_are_posteriors_and_projected_states() -> None:
    states = np.random.default_rng(0).normal(size=(3, 512)).astype(np.float32)
    log_probs = np.full((3, 41), -50.0)
    log_probs[:, 2] = 0.0
    features = combined(log_probs, states)
    assert features.shape == (3, N_FEATURES)
    assert features[0, 2] == 1.0 and features[0, 3] == -1.0
    assert np.isfinite(features).all() and 0.7 < features[:, 41:].std() < 1.3
    assert np.allclose(features[:, 41:], combined(log_probs, 5 * states + 1)[:, 41:], atol=0.01)


def test_frames_are_condensed_to_a_place_for_each_phone() -> None:
    log_probs = np.full((100, 41), -9.0)
    log_probs[:, 0] = -0.01  # blank
    for frame, label in ((20, 3), (21, 3), (40, 7), (41, 8), (80, 8)):
        log_probs[frame, [0, label]] = -3.0, -0.1
    log_probs[60, [0, 5]] = -0.2, -1.8  # too unsure to be a phone
    features = condensed(combined(log_probs, np.random.default_rng(0).normal(size=(100, 512))), 41)
    places = features.reshape(-1, FRAMES_PER_PLACE, N_FEATURES).astype(float)
    assert places[:, :, 1:41].max(axis=1).argmax(axis=1).tolist() == [2, 6, 7, 7]
    lengths = 2 ** (3 * places[:, 0, -1]) / 8 * 50
    assert lengths == pytest.approx([30, 11, 20, 39], rel=0.01), "frames, to half the way to the neighbours"
    silence = condensed(combined(np.log(np.eye(41)[np.zeros(3, dtype=int)] + 1e-9), np.ones((3, 512))), 41)
    assert silence.shape == (FRAMES_PER_PLACE, N_FEATURES) and np.isfinite(silence).all()


def test_each_recording_takes_a_place_for_every_four_frames() -> None:
    sound = (0.1 * np.random.default_rng(0).normal(size=20_000)).astype(np.float32)
    batch = ListenerFeatures()([sound, sound[:8_000]])
    mask = batch["audio_attention_mask"]
    assert batch["audio_input_features"].shape == (2, mask.shape[1], N_FEATURES)
    assert batch["audio_embed_sizes"].tolist() == [-(-int(n) // FRAMES_PER_PLACE) for n in mask.sum(dim=1)]
    alone = ListenerFeatures()([sound[:8_000]])
    assert "audio_attention_mask" not in alone
    n = alone["audio_input_features"].shape[1]
    assert torch.equal(alone["audio_input_features"][0], batch["audio_input_features"][1, :n])
    assert not batch["audio_input_features"][1, n:].any()


def test_the_language_model_first_reads_a_phone_where_it_is_heard(speech_manifest: Path) -> None:
    phi4 = load_phi4(config_of(speech_manifest), "cpu")
    audio = phi4.model.model.embed_tokens_extend.audio_embed
    features, heard = made_up_speech(2)
    with torch.no_grad():
        hidden = torch.nn.functional.gelu(audio.up_proj_for_speech(audio.encoder(features, None)))
        read = audio.down_proj_for_speech(hidden)
    symbols = [*PHONES, UNKNOWN]
    tokens = phi4.model.get_input_embeddings().weight[phi4.tokenizer.convert_tokens_to_ids([f" {p}" for p in symbols])]
    is_speech = heard.sum(dim=-1) > 0
    nearest = (read @ tokens.T).argmax(dim=-1)
    assert (nearest == heard.argmax(dim=-1))[is_speech].float().mean() > 0.95


def test_another_listener_and_4_bits_are_refused(speech_manifest: Path) -> None:
    with pytest.raises(ModelError, match="trained with the listener of another"):
        ListenerFeatures(listener="another")
    with pytest.raises(ModelError, match="take bits 16"):
        load_phi4(config_of(speech_manifest, bits=4, adapter="fresh"), "cpu")


def test_faults_in_prompts_masks_and_decoding_show_as_numbers(tmp_path: Path, speech_manifest: Path) -> None:
    """Both tasks of two recordings are learnt by heart; what is then changed on the way to the answers costs PER."""
    config = config_of(speech_manifest)
    phi4 = attach_adapter(load_phi4(config, "cpu"), config)
    corpus = load_corpus(Settings(tmp_path / "data", tmp_path / "models"), of_manifest(None, speech_manifest), "train")
    samples, prompts = samples_of(corpus, 2), load_prompts()
    collator = Collator(corpus, prompts, phi4, config.max_length)
    batch = collator(samples)
    optimizer = torch.optim.AdamW(phi4.model.parameters(), lr=2e-3)
    for step in range(25):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1.0, (step + 1) / 5)
        phi4.model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(phi4.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def measured(collator: Collator) -> tuple[int, float | None]:
        """How many answers are right to the letter, and PER."""
        answers = answer_all(collator, samples, batch=4)
        return sum(a.answer == a.expected for a in answers), figures(collator, samples, answers).per

    def blind(*asked: Any) -> dict[str, torch.Tensor]:
        inputs = prompt_batch(*asked)
        inputs["attention_mask"][inputs["input_ids"] == phi4.model.config.audio_config.audio_token_id] = 0
        return inputs

    def padded_right(*asked: Any) -> dict[str, torch.Tensor]:
        inputs = prompt_batch(*asked)
        for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"], strict=True):
            n_padded = int((mask == 0).sum())
            ids[:], mask[:] = ids.roll(-n_padded), mask.roll(-n_padded)
        return inputs

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 80)
        assert measured(collator) == (4, 0.0)
        control = {"apa": prompts.control["mdd"], "mdd": prompts.control["apa"]}
        faulty = {
            "prompts": measured(replace(collator, prompts=Prompts(prompts.mdd, prompts.apa, control, prompts.layout)))
        }
        for name, fault in (("masks", blind), ("padding", padded_right)):
            patch.setattr("pipeline.speechllm.collator.prompt_batch", fault)
            faulty[name] = measured(collator)
        assert all(right < 4 and per is not None and per > 0.3 for right, per in faulty.values()), faulty


def test_from_preset_to_table_3_and_loaded_again(tmp_path: Path, speech_manifest: Path) -> None:
    settings = Settings(tmp_path / "data", tmp_path / "models")
    config = config_of(speech_manifest, limit=2, epochs=1, evaluation_limit=1)
    run = RunDirectory.create(settings.runs_root, kind="speechllm", name="standin", config=config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.speechllm.generation.MAX_NEW_TOKENS", 4)
        train_speechllm(settings, config, run)
    table = json.loads((run.path / "table3.json").read_text(encoding="utf-8"))["table3"]
    assert table["per"]["ours"] == 1.0  # nothing that was learnt in one step can be read
    assert table["per"]["difference"] is None and table["per"]["within_5_percent"] is None
    assert (run.path / "table3.md").read_text(encoding="utf-8").startswith("This run trained a stand-in")
    folder = str(run.path / "model")
    assert load_info(run.path / "model").stand_in
    again = load_checkpoint(SpeechLlmConfig(manifest="m", model=folder, adapter="none", epochs=0), "cpu")
    assert isinstance(again.front_end, ListenerFeatures)
    assert again.tokenizer.get_vocab() == standin_tokenizer().get_vocab()
