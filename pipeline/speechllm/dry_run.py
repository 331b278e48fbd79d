"""The plan of a run before the weights are there: from the model's shape alone, on no device."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pipeline.devices import find_device, gpu_of
from pipeline.jobs.requirements import require_packages
from pipeline.labels.corpus_source import CorpusSource
from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.speechllm.adapter_files import AdapterShape, read_shape
from pipeline.speechllm.adapters import attach_adapter, trainable
from pipeline.speechllm.config import BUILT_IN, SpeechLlmConfig
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.notes import notes_on
from pipeline.speechllm.phi4 import Phi4, checkpoint_config
from pipeline.speechllm.plan import answered, make_plan
from pipeline.speechllm.plan_summary import Plan, refusal
from pipeline.speechllm.prompts import END, load_prompts
from pipeline.speechllm.samples import (
    Corpus,
    Sample,
    audio_of,
    for_lengths,
    hold_out,
    leave_out,
    load_corpus,
    on_parts,
    parts_in_words,
    samples_of,
)
from pipeline.speechllm.shape import bare_model

CHARACTERS_PER_TOKEN = 3.4  # of prompts and answers with phones and JSON, with a vocabulary of 200,000
RATE_HZ = 16_000


@dataclass(frozen=True)
class Ahead:
    """`text` is the plan in words; `refusal` says why the run cannot be, None where it fits."""

    plan: Plan
    text: str
    refusal: str | None


def plan_ahead(
    settings: Settings, config: SpeechLlmConfig, devices: int = 1, progress: Progress | None = None, gpu: str = ""
) -> Ahead:
    """The plan for the device that a training would choose, or for a `gpu` that is not here. The shape is the
    checkpoint's where it is a local folder, else the published model's.

    Raises CorpusError, JobError or TrainingError for recordings, settings or a GPU that cannot be used.
    """
    require_packages("plan", config)
    planned_for = gpu_of(gpu) if gpu else None
    device = find_device(config.device, settings.device)
    source, config = on_parts(settings, config)
    limit = config.limit if config.evaluation_part else 0
    corpus = load_corpus(settings, source, config.part, progress, limit=limit)
    if config.evaluation_part:
        n_held = _n_held_out(source, config)
    else:
        corpus, held = hold_out(corpus)
        n_held = len(samples_of(held, config.evaluation_limit))
    corpus, validated = leave_out(corpus, config)
    n_left_out = 0 if validated is None else len(samples_of(validated))
    per_epoch, at_end = answered(config, n_held, n_left_out)
    samples = samples_of(corpus, config.limit)
    own = _own_adapter(config)
    phi4 = outline(config, own)
    n_trained, _ = trainable(phi4.model.parameters())
    plan = make_plan(
        phi4, config, samples, _tokens(phi4, config, corpus, samples), devices, torch.device(device.name),
        n_evaluated=per_epoch, n_at_end=at_end, gpu=planned_for, notes=notes_on(config, own, n_trained),
    )  # fmt: skip
    first = parts_in_words(config) if planned_for else f"{parts_in_words(config)}\n{device.text}"
    return Ahead(plan, f"{first}\n{plan.text()}", refusal(plan, config))


def outline(config: SpeechLlmConfig, own: AdapterShape | None = None) -> Phi4:
    """The model with its adapter, of the right shape, without numbers; `own` is the checkpoint's adapter."""
    plain = replace(config, bits=16, merge_speech=False)
    if config.adapter == "pretrained":
        plain = replace(plain, adapter="fresh", r=own.r if own is not None else config.r)
    if config.model in BUILT_IN:
        return attach_adapter(load_phi4(plain, "cpu"), plain)
    bare = bare_model(config)
    with torch.device("meta"):
        return attach_adapter(bare, plain)


def _own_adapter(config: SpeechLlmConfig) -> AdapterShape | None:
    """The checkpoint's speech adapter where it is used and lies here. Raises ModelError for one that cannot be read, or
    a folder that is no checkpoint."""
    if not (config.merge_speech or config.adapter == "pretrained") or not Path(config.model).is_dir():
        return None
    checkpoint_config(config.model, config.revision)
    return read_shape(config)


def _n_held_out(source: CorpusSource, config: SpeechLlmConfig) -> int:
    """Samples of the part that is measured on, both tasks of each recording, without decoding it."""
    n = len(source.of_part(config.evaluation_part))
    return 2 * (min(n, config.evaluation_limit) if config.evaluation_limit else n)


def _tokens(phi4: Phi4, config: SpeechLlmConfig, corpus: Corpus, samples: list[Sample]) -> list[int]:
    """Estimated for some samples, the longest recording's among them."""
    prompts = load_prompts(config.rubric_file, config.prompt_file)
    tokens = []
    for sample in for_lengths(corpus, samples):
        front = phi4.front_end([audio_of(corpus.rows[sample.row])], sampling_rate=RATE_HZ, return_tensors="pt")
        text = prompts.turn(sample.task, 0) + sample.answer + END
        tokens.append(int(front["audio_embed_sizes"][0]) + round(len(text) / CHARACTERS_PER_TOKEN))
    return tokens
