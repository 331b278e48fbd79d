"""The reproduction of arXiv 2509.02915 at its true size on a GPU: memory, seconds a step, answers a second.

    python -m tests.bench.phi4_gpu FOLDER MANIFEST [--tokenizer FOLDER] [--small] [--out FILE] STEP...

Memory and speed do not depend on what the weights are, so the checkpoint is one of random numbers in the published
shape. The steps, in this order, each with a line of JSON on standard output and in FOLDER/figures.jsonl:

    make        FOLDER/checkpoint (10 GB) with a speech adapter of rank 320, and a sample of MANIFEST's recordings
    plan        what `pronlab train speechllm --plan` expects of every preset, and `pronlab doctor` says of PyTorch
    paper_r64, unfreeze, pretrained_r320, paper_r64_4bit
                `pronlab train speechllm --preset` for six steps of 64 samples and 16 answers; paper_r64 is stopped
                after three of them and resumed
    batches     forward, backward and optimiser on the longest recordings: batch sizes, with and without checkpointing
    answers     writing 64 tokens each in batches of several sizes
    score       `pronlab score` with the run of paper_r64

A random model does not stop by itself, so every answer is cut at 64 tokens; of speechocean762's, the longest take 102
and the mean is 36. Without --tokenizer the small one of the model `tiny` is used, whose prompts are within a sixth as
long as the published one's. --small makes a model of a few layers, to see that every step works, also without a GPU.
docs/results/phi4-gpu.md has the figures.
"""

import argparse
import contextlib
import gc
import io
import json
import os
import random
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

SEED = 22
N_TRAIN, N_HELD = 192, 8  # recordings: six steps of 64 samples, and a batch of 16 answers
STOP_AFTER = 2  # the step after it is the last
TOKENS = 64  # of an answer
BATCHES = {True: (1, 2, 4, 8, 16, 32), False: (1, 2, 4, 8)}  # by whether gradients are checkpointed
ANSWERED = (16, 1, 4, 64)
SPREAD = 0.02
GB = 1e9
RANK = 320
PRESETS = ("paper_r64", "unfreeze", "pretrained_r320", "paper_r64_4bit")
SMALL: dict[str, Any] = {
    "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8,
    "num_key_value_heads": 4,
}  # fmt: skip
SMALL_AUDIO: dict[str, Any] = {
    "hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4, "num_blocks": 2, "ext_pw_out_channel": 128,
    "depthwise_separable_out_channel": 128, "nemo_conv_channels": 128,
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """`manifest` is the whole corpus's; the steps read a sample of it."""

    folder: Path
    manifest: Path
    tokenizer: Path | None
    small: bool

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def sample(self) -> Path:
        return self.folder / "sample" / "manifest.jsonl"

    @property
    def device(self) -> str:
        return "cuda" if torch.cuda.is_available() else "cpu"

    def config(self, preset: str = "paper_r64", **changed: Any) -> Any:
        from pipeline.speechllm.config import SpeechLlmConfig, load_preset

        of_run = {"manifest": str(self.sample), "model": str(self.checkpoint), "revision": ""}
        return SpeechLlmConfig(**{**load_preset(preset), **of_run, **changed})


Step = Callable[[Work, Row], None]


def allocated_gb() -> float:
    return torch.cuda.memory_allocated() / GB if torch.cuda.is_available() else 0.0


def peak_gb() -> tuple[float, float]:
    """Allocated and reserved since the last call."""
    if not torch.cuda.is_available():
        return 0.0, 0.0
    peak = torch.cuda.max_memory_allocated() / GB, torch.cuda.max_memory_reserved() / GB
    torch.cuda.reset_peak_memory_stats()
    return peak


def now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def forget() -> float:
    """Free what nobody holds any more; GB that are still held."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    peak_gb()
    return allocated_gb()


def make(work: Work, row: Row) -> None:
    shutil.rmtree(work.folder / "sample", ignore_errors=True)
    (work.sample.parent / "audio").mkdir(parents=True)
    rows = [json.loads(line) for line in work.manifest.read_text(encoding="utf-8").splitlines()]
    draw = random.Random(SEED)
    chosen: list[Row] = []
    for part, n in (("train", N_TRAIN), ("dev", N_HELD)):
        there = [each for each in rows if each["part"] == part]
        chosen += draw.sample(there, n // 2 if work.small else n)
    work.sample.write_text("".join(f"{json.dumps(each)}\n" for each in chosen), encoding="utf-8")
    for each in chosen:
        shutil.copyfile(work.manifest.parent / each["audio"], work.sample.parent / each["audio"])
    started = time.perf_counter()
    n = _make_checkpoint(work)
    size = sum(file.stat().st_size for file in work.checkpoint.rglob("*") if file.is_file())
    row |= {"parameters": n, "gb": size / GB, "seconds": time.perf_counter() - started}


def _make_checkpoint(work: Work) -> int:
    """Random weights in the published shape; how many there are."""
    from transformers import (
        AutoTokenizer,
        Phi4MultimodalConfig,
        Phi4MultimodalFeatureExtractor,
        Phi4MultimodalForCausalLM,
    )

    from pipeline.speechllm.prompts import AUDIO, END
    from pipeline.speechllm.shape import PUBLISHED
    from pipeline.speechllm.tiny import IMAGE, PAD, of_small_models, special_ids, tiny_tokenizer

    tokenizer = tiny_tokenizer() if work.tokenizer is None else AutoTokenizer.from_pretrained(work.tokenizer)
    ids = special_ids(tokenizer)
    tokens = {"bos_token_id": ids[PAD], "pad_token_id": ids[PAD], "eos_token_id": [ids[PAD], ids[END]]}
    audio, vision = {"audio_token_id": ids[AUDIO]}, {"image_token_id": ids[IMAGE]}
    shape = PUBLISHED | tokens | {"audio_config": audio, "vision_config": vision}
    if work.small:
        shape |= SMALL | of_small_models(ids) | {"vocab_size": len(tokenizer), "audio_config": SMALL_AUDIO | audio}
    with torch.device("meta"):
        model = Phi4MultimodalForCausalLM(Phi4MultimodalConfig(**shape)).to(torch.bfloat16)
    model.to_empty(device=work.device)
    model.tie_weights()
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, value in (*model.named_parameters(), *model.named_buffers()):
            if not value.is_floating_point():
                value.zero_()
            elif value.dim() > 1:
                value.normal_(std=SPREAD)
            else:  # of normalisations the scale, and what the front end divides by
                value.fill_(0.0 if name.endswith(("bias", "global_mean")) else 1.0)
    model.save_pretrained(work.checkpoint, max_shard_size="2GB")
    tokenizer.save_pretrained(work.checkpoint)
    Phi4MultimodalFeatureExtractor().save_pretrained(work.checkpoint)
    _make_adapter(work, model)
    return sum(parameter.numel() for parameter in model.parameters())


def _make_adapter(work: Work, model: Any) -> None:
    """The speech adapter that `pretrained_r320` goes on with, in the layout that PEFT writes."""
    from safetensors.torch import save_file

    from pipeline.speechllm.adapter_files import CONFIG_FILE, PEFT_PREFIX, SPEECH_ADAPTER, WEIGHTS_FILE, expression
    from pipeline.speechllm.adapters import targets_in

    rank = 8 if work.small else RANK
    folder = work.checkpoint / SPEECH_ADAPTER
    folder.mkdir(exist_ok=True)
    names = targets_in(model, work.config())
    modules = dict(model.named_modules())
    weights = {}
    for name in names:
        size_out, size_in = modules[name].weight.shape
        for side, size in (("A", (rank, size_in)), ("B", (size_out, rank))):
            drawn = torch.randn(size, device=work.device, dtype=torch.bfloat16) * SPREAD
            weights[f"{PEFT_PREFIX}{name}.lora_{side}.weight"] = drawn.cpu()
    save_file(weights, folder / WEIGHTS_FILE)
    settings = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank, "lora_dropout": 0.01,
        "target_modules": expression(names), "base_model_name_or_path": str(work.checkpoint),
    }  # fmt: skip
    (folder / CONFIG_FILE).write_text(json.dumps(settings), encoding="utf-8")


def pronlab(*arguments: str) -> Any:
    """What `pronlab ... --json` prints. Raises RuntimeError where it ends with an error, with what it said."""
    from pipeline.cli import main

    said, told = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            main.main([*arguments, "--json"], standalone_mode=False)
    except SystemExit as error:
        if error.code:
            raise RuntimeError(told.getvalue()[-2000:]) from error
    finally:
        print(told.getvalue()[-4000:], flush=True)
    return json.loads(said.getvalue())


def plan(work: Work, row: Row) -> None:
    from pipeline import doctor

    arms = [part for preset in PRESETS for part in ("--arm", preset)]
    of_run = ["--manifest", str(work.sample), "--model", str(work.checkpoint), "--epochs", "1", "--plan"]
    here = pronlab("train", "speechllm", *arms, *of_run)
    stated = pronlab("train", "speechllm", *arms, *of_run, "--gpu", "H100 80GB")
    row |= {"here": here, "stated": stated, "doctor": doctor._pytorch().text}


@dataclass
class Meter:
    """What the GPU does during a training, and how long it takes."""

    stop_after: int = 0
    loaded_gb: float = 0.0
    steps: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        from pipeline.runs import RunWriter
        from pipeline.speechllm import generation
        from pipeline.speechllm.adapters import attach_adapter
        from pipeline.speechllm.judge import Judge

        log, measure = RunWriter.log_metrics, Judge.measure

        def attached(*given: Any) -> Any:
            result = attach_adapter(*given)
            self.loaded_gb = allocated_gb()
            peak_gb()
            return result

        def logged(writer: Any, **values: Any) -> None:
            log(writer, **values)
            if values.get("event") == "step":
                peak, reserved = peak_gb()
                kept = {name: values[name] for name in ("step", "loss", "grad_norm")}
                self.steps.append({**kept, "at_s": now(), "peak_gb": peak, "reserved_gb": reserved})
                if values["step"] == self.stop_after:
                    writer.run.request_stop()

        def measured(judge: Any, epoch: int) -> Any:
            peak_gb()
            started = now()
            result = measure(judge, epoch)
            seconds = now() - started
            peak, reserved = peak_gb()
            self.answers.append({"n": len(judge.samples), "seconds": seconds, "peak_gb": peak, "reserved_gb": reserved})
            return result

        with (
            patch("pipeline.speechllm.train.attach_adapter", attached),
            patch.object(RunWriter, "log_metrics", logged),
            patch.object(Judge, "measure", measured),
            patch.object(generation, "MAX_NEW_TOKENS", TOKENS),
        ):
            yield


def training(preset: str, stop_after: int = 0) -> Step:
    def run(work: Work, row: Row) -> None:
        from pipeline import jsonl
        from pipeline.settings import Settings

        of_run = ["--preset", preset, "--manifest", str(work.sample), "--model", str(work.checkpoint)]
        meter = Meter(min(stop_after, 1) if work.small else stop_after)
        row |= {"steps": meter.steps, "answers": meter.answers}
        with meter.at_work():
            if stop_after:
                with contextlib.suppress(RuntimeError):  # says how to resume
                    pronlab("train", "speechllm", *of_run, "--epochs", "1", "--name", preset)
                meter.stop_after = 0
                row["left_gb"] = forget()
                (stopped,) = Settings.from_env().runs_root.glob(f"{preset}-*")
                report = pronlab("train", "speechllm", "--resume", stopped.name)
            else:
                report = pronlab("train", "speechllm", *of_run, "--epochs", "1", "--name", preset)
        folder = Path(report["directory"])
        state = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        usage = list(jsonl.read(folder / "usage.jsonl"))
        row |= {
            "run": report["run"], "plan": {k: v for k, v in report["plan"].items() if k != "notes"},
            "attention": report["attention"], "batch": report["batch"], "status": state["status"],
            "loaded_gb": meter.loaded_gb,
            "log": (folder / "log.txt").read_text(encoding="utf-8")[-3000:], "usage": usage[-3:],
            "model_gb": sum(file.stat().st_size for file in (folder / "model").rglob("*")) / GB,
            "checkpoint_gb": sum(file.stat().st_size for file in (folder / "checkpoints").rglob("*")) / GB,
        }  # fmt: skip
        shutil.rmtree(folder / "checkpoints")

    return run


@cache
def _loaded(work: Work) -> tuple[Any, Any, list[Any]]:
    """The model with a fresh LoRA, a collator, and samples, those of the longest recordings first."""
    from pipeline.labels.corpus_source import open_source
    from pipeline.settings import Settings
    from pipeline.speechllm.adapters import attach_adapter
    from pipeline.speechllm.collator import Collator
    from pipeline.speechllm.loading import load_phi4
    from pipeline.speechllm.prompts import load_prompts
    from pipeline.speechllm.samples import load_corpus, samples_of

    config, settings = work.config(), Settings.from_env()
    corpus = load_corpus(settings, open_source(settings, set="", manifest=config.manifest), "train")
    phi4 = attach_adapter(load_phi4(config, work.device), config)
    lengths = corpus.rows["n_samples"]
    samples = sorted(samples_of(corpus), key=lambda sample: -lengths[sample.row])
    return phi4, Collator(corpus, load_prompts(), phi4, config.max_length), samples


def batches(work: Work, row: Row) -> None:
    """As the Trainer computes: bfloat16 where the operation is safe in it, the second of two batches that are
    accumulated, and the optimiser's step."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    from pipeline.speechllm.plan import memory_gb

    phi4, collator, samples = _loaded(work)
    longest = [sample for sample in samples if sample.task == "apa"]
    phi4.model.train()
    trained = [parameter for parameter in phi4.model.parameters() if parameter.requires_grad]
    AcceleratorState._reset_state(reset_partial_state=True)  # of a training in this process
    accelerator: Any = Accelerator(mixed_precision="bf16", cpu=work.device == "cpu")
    model, optimiser = accelerator.prepare(phi4.model, torch.optim.AdamW(trained, lr=2e-5))
    row |= {"loaded_gb": allocated_gb(), "tried": []}
    for checkpointing, sizes in BATCHES.items():
        if not checkpointing:
            phi4.model.gradient_checkpointing_disable()
        for size in sizes[: 3 if work.small else None]:
            inputs = {name: value.to(work.device) for name, value in collator(longest[:size]).items()}
            tokens = int(inputs["input_ids"].shape[1])
            expected = memory_gb(phi4.model, work.config(batch=size, checkpointing=checkpointing), tokens)
            tried: Row = {"batch": size, "checkpointing": checkpointing, "tokens": tokens, "plan_gb": expected}
            row["tried"].append(tried)
            try:
                forget()
                for _ in range(2):
                    started = now()
                    accelerator.backward(model(**inputs).loss)
                    tried["seconds"] = now() - started
                started = now()
                optimiser.step()
                tried["optimiser_s"] = now() - started
                tried["peak_gb"], tried["reserved_gb"] = peak_gb()
            except torch.OutOfMemoryError as error:
                tried["failed"] = str(error)[:300]
            optimiser.zero_grad()
            if "failed" in tried:
                break
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # the step after this one answers with the same model


def answers(work: Work, row: Row) -> None:
    """Reading the prompts (one token is written), and writing 64; with the adapter beside the weights as it is during a
    training, and merged into them."""
    from pipeline.speechllm import generation
    from pipeline.speechllm.phi4 import Phi4

    phi4, collator, samples = _loaded(work)
    phi4.model.eval()
    phi4.model.config.use_cache = True
    row |= {"loaded_gb": allocated_gb(), "tried": []}

    def write(with_model: Phi4, chosen: list[Any], tokens: int) -> float:
        inputs = collator.for_generation(chosen)
        started = now()
        with patch.object(generation, "MAX_NEW_TOKENS", tokens):
            generation.generate(with_model, inputs)
        return now() - started

    def timed(with_model: Phi4, size: int, merged: bool) -> None:
        middle = samples[len(samples) // 2 :]
        for task in ("apa", "mdd"):
            chosen = [sample for sample in middle if sample.task == task][:size]
            forget()
            read_s, write_s = write(with_model, chosen, 1), write(with_model, chosen, TOKENS)
            peak, reserved = peak_gb()
            tried = {
                "batch": len(chosen), "task": task, "merged": merged, "read_s": read_s, "written_s": write_s,
                "token_s": (write_s - read_s) / (TOKENS - 1), "peak_gb": peak, "reserved_gb": reserved,
            }  # fmt: skip
            row["tried"].append(tried)
            print(tried, flush=True)

    write(phi4, samples[:2], 4)  # what comes first takes longer
    for size in ANSWERED:
        timed(phi4, size, merged=False)
    merged = Phi4(phi4.model.merge_and_unload(), phi4.tokenizer, phi4.front_end)
    timed(merged, 16, merged=True)


def score(work: Work, row: Row) -> None:
    """The trained adapter asked about one recording, in a process's own model."""
    from pipeline.settings import Settings
    from pipeline.speechllm import generation

    first = json.loads(work.sample.read_text(encoding="utf-8").splitlines()[-1])
    (run,) = Settings.from_env().runs_root.glob("paper_r64-*")
    started = now()
    with patch.object(generation, "MAX_NEW_TOKENS", TOKENS):
        scored = pronlab(
            "score", str(work.sample.parent / first["audio"]), "--text", first["text"], "--scorer", "speechllm",
            "--model", run.name,
        )  # fmt: skip
    peak, reserved = peak_gb()
    info = json.loads((run / "model" / "speechllm.json").read_text(encoding="utf-8"))
    row |= {
        "seconds": now() - started, "peak_gb": peak, "reserved_gb": reserved, "scoring_gb": info["memory_gb"],
        "scored": {name: scored.get(name) for name in ("state", "reason", "overall", "dimensions")},
    }  # fmt: skip


STEPS: dict[str, Step] = {
    "make": make,
    "plan": plan,
    **{preset: training(preset, STOP_AFTER if preset == "paper_r64" else 0) for preset in PRESETS},
    "batches": batches,
    "answers": answers,
    "score": score,
}


def machine() -> Row:
    import transformers

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    free, whole = torch.cuda.mem_get_info() if gpu else (0, 0)
    return {
        "gpu": gpu, "free_gb": free / GB, "whole_gb": whole / GB, "torch": torch.__version__,
        "transformers": transformers.__version__,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("steps", nargs="+", choices=STEPS)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--out", type=Path, help="file of the lines (default: FOLDER/figures.jsonl)")
    given = parser.parse_args()
    work = Work(given.folder.absolute(), given.manifest.absolute(), given.tokenizer, given.small)
    os.environ |= {
        "PRONLAB_DATA_ROOT": str(work.folder / "data"), "PRONLAB_MODELS_ROOT": str(work.folder / "models"),
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    work.folder.mkdir(parents=True, exist_ok=True)
    for name in given.steps:
        started = time.perf_counter()
        row: Row = {"step": name, "before_gb": forget(), **machine()}
        try:
            STEPS[name](work, row)
        except Exception as error:  # noqa: BLE001 - the next step may work
            traceback.print_exc()
            row["error"] = f"{type(error).__name__}: {error}"[:2000]
        row["took_s"] = time.perf_counter() - started
        line = json.dumps(row, default=str)
        print(line, flush=True)
        with (given.out or work.folder / "figures.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


if __name__ == "__main__":
    main()
