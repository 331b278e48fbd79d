"""The plan of a run before the weights are there: from the model's shape alone, on no device."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from pipeline.parallel import Progress
from pipeline.settings import Settings
from pipeline.speechllm.config import TINY, SpeechLlmConfig
from pipeline.speechllm.loading import load_phi4
from pipeline.speechllm.packages import require_packages
from pipeline.speechllm.phi4 import Phi4, attach_adapter
from pipeline.speechllm.plan import make_plan
from pipeline.speechllm.plan_summary import Plan, refusal
from pipeline.speechllm.prompts import END, load_prompts
from pipeline.speechllm.samples import (
    Corpus,
    Sample,
    audio_of,
    for_lengths,
    hold_out,
    load_corpus,
    on_parts,
    parts_in_words,
    samples_of,
)

CHARACTERS_PER_TOKEN = 4  # of English, with a vocabulary of 200,000
RATE_HZ = 16_000


@dataclass(frozen=True)
class Ahead:
    """`text` is the plan in words; `refusal` says why the run cannot be, None where it fits."""

    plan: Plan
    text: str
    refusal: str | None


def plan_ahead(
    settings: Settings, config: SpeechLlmConfig, devices: int = 1, progress: Progress | None = None
) -> Ahead:
    """Raises CorpusError or TrainingError for recordings or settings that cannot be used. The shape is the
    checkpoint's where it is a local folder, else the published model's."""
    require_packages(config)
    source, config = on_parts(settings, config)
    limit = config.limit if config.evaluation_part else 0
    corpus = load_corpus(settings, source, config.part, progress, limit=limit)
    if not config.evaluation_part:
        corpus, _ = hold_out(corpus)
    samples = samples_of(corpus, config.limit)
    phi4 = outline(config)
    plan = make_plan(
        phi4, config, samples, _tokens(phi4, config, corpus, samples), devices, torch.device(settings.device)
    )
    return Ahead(plan, f"{parts_in_words(config)}\n{plan.text()}", refusal(plan, config))


def outline(config: SpeechLlmConfig) -> Phi4:
    """The model with its adapter, of the right shape, without numbers."""
    from transformers import AutoConfig, Phi4MultimodalConfig, Phi4MultimodalFeatureExtractor, Phi4MultimodalForCausalLM

    plain = replace(config, bits=16, adapter="fresh" if config.adapter == "pretrained" else config.adapter)
    if config.model == TINY:
        return attach_adapter(load_phi4(plain, "cpu"), plain)
    shape = AutoConfig.from_pretrained(config.model) if Path(config.model).is_dir() else Phi4MultimodalConfig()
    with torch.device("meta"):
        model = Phi4MultimodalForCausalLM(shape).to(torch.bfloat16)
        return attach_adapter(Phi4(model, None, Phi4MultimodalFeatureExtractor()), plain)


def _tokens(phi4: Phi4, config: SpeechLlmConfig, corpus: Corpus, samples: list[Sample]) -> list[int]:
    """Estimated for some samples, the longest recording's among them."""
    prompts = load_prompts(config.rubric_file)
    tokens = []
    for sample in for_lengths(corpus, samples):
        front = phi4.front_end([audio_of(corpus.rows[sample.row])], sampling_rate=RATE_HZ, return_tensors="pt")
        text = prompts.turn(sample.task, 0) + sample.answer + END
        tokens.append(int(front["audio_embed_sizes"][0]) + len(text) // CHARACTERS_PER_TOKEN)
    return tokens
