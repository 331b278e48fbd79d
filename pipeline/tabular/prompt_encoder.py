"""Fine-tune a text encoder (BERT and its like) to the scores of prompts: one number on top, mean squared error.

Authors are divided into those to learn from, those that choose the epoch, and those that are reported on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline import artifacts
from pipeline.corpus.splits import speaker_holdout
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, NN_, Message
from pipeline.jobs.requirements import require_packages
from pipeline.metrics.regression import regression_metrics
from pipeline.optional import require
from pipeline.quiet import without_progress_bars
from pipeline.records import to_json
from pipeline.regressors.balance import band_weights
from pipeline.regressors.confidence import confidence_table
from pipeline.runs import RunWriter, now_iso
from pipeline.settings import Settings
from pipeline.tabular.catalogue import get_task
from pipeline.tabular.cleaning import clean
from pipeline.tabular.model_files import ENCODER, ENCODER_REFERENCE, TabularInfo, check_weights, load_info, write_info
from pipeline.tabular.prompt_encoder_config import TINY, PromptModelConfig
from pipeline.tabular.prompts.features import BASE_NAMES, base_features
from pipeline.tabular.prompts.level0 import level0
from pipeline.tabular.task import Row
from pipeline.tabular.train import (
    FEWEST,
    FEWEST_GROUPS,
    MODEL_FOLDER,
    REFERENCE_ROWS,
    REPORT,
    errors_of,
    labels_of,
    write_predictions,
)

WHAT = N_("An encoder of prompts")
TINY_WIDTH, TINY_LAYERS, TINY_TOKENS = 64, 2, 600
PAD, UNKNOWN, START, END, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"


@dataclass(frozen=True)
class Parts:
    """Which rows are learnt from, which choose the epoch, and which are reported on."""

    train: list[Row]
    validation: list[Row]
    test: list[Row]


def train_encoder(settings: Settings, config: PromptModelConfig, writer: RunWriter) -> dict[str, Any]:
    """Leaves `model/` (safetensors, tokenizer) and `report.json`; returns the report. Raises TrainingError for too few
    prompts, ModelError for a folder without an encoder, JobError where packages are missing."""
    require_packages("prompts", config)
    without_progress_bars()
    parts = divided(settings, config)
    torch.manual_seed(config.seed)
    model, tokenizer = _load(config, [row.content for row in parts.train])
    model.to(settings.device)
    labels = np.array([row.label for row in parts.train], dtype=np.float32)
    mean, spread = float(labels.mean()), float(labels.std()) or 1.0
    weights = (band_weights(labels_of(parts.train)) if config.balance else np.ones(len(labels))).astype(np.float32)
    steps = config.epochs * -(-len(parts.train) // config.batch_size)
    optimiser = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, config.warmup_share))
    draw = np.random.default_rng(config.seed)
    best, best_epoch, kept = np.inf, 0, {}
    for epoch in range(config.epochs):
        model.train()
        total = 0.0
        for places in np.array_split(draw.permutation(len(parts.train)), -(-len(parts.train) // config.batch_size)):
            writer.check_stop()
            batch = _encoded(tokenizer, [parts.train[i] for i in places], config, settings.device)
            wanted = torch.tensor((labels[places] - mean) / spread, device=settings.device)
            off = model(**batch).logits[:, 0].float() - wanted
            loss = (torch.tensor(weights[places], device=settings.device) * off**2).mean()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(places)
        predictions = _predicted(model, tokenizer, parts.validation, config, settings.device, mean, spread)
        mae = float(np.abs(predictions - labels_of(parts.validation)).mean())
        writer.log_metrics(event="epoch", epoch=epoch + 1, train_loss=total / len(parts.train), validation_mae=mae)
        message = Message(N_("epoch {epoch}: MAE {mae:.1f} on validation"), epoch=epoch + 1, mae=mae)
        writer.update(progress=(epoch + 1) / config.epochs, message=message)
        if mae < best:
            best, best_epoch = mae, epoch
            kept = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
        elif epoch - best_epoch >= config.patience:
            break
    model.load_state_dict(kept)
    predicted = _predicted(model, tokenizer, parts.test, config, settings.device, mean, spread)
    report = _report(parts, predicted, mean) | {
        "best_epoch": best_epoch + 1, "validation_mae": best, "mean": mean, "spread": spread,
    }  # fmt: skip
    folder = writer.run.path / MODEL_FOLDER
    model.cpu().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _describe(folder, config, parts, report, predicted, writer)
    artifacts.write_json(writer.run.path / REPORT, report)
    write_predictions(writer.run.path, parts.test, predicted)
    content: dict[str, Any] = to_json(report)
    return content


def _report(parts: Parts, predicted: NDArray[np.float64], mean: float) -> dict[str, Any]:
    """On the held-out authors, beside the rules and the mean of the others."""
    expert, groups = labels_of(parts.test), [row.group for row in parts.test]
    rule = np.array([level0(row.content).score for row in parts.test])
    values = np.array([base_features(row.content) for row in parts.test], dtype=np.float32)
    return {
        "metrics": regression_metrics(expert, predicted, speakers=groups),
        "baselines": {
            "level 0 (rules)": regression_metrics(expert, rule, speakers=groups),
            "training mean": regression_metrics(expert, np.full(len(expert), mean), speakers=groups),
        },
        "errors": errors_of(parts.test, BASE_NAMES, values, predicted),
        "n": {name: len(part) for name, part in vars(parts).items()},
    }


def _describe(
    folder: Path,
    config: PromptModelConfig,
    parts: Parts,
    report: dict[str, Any],
    predicted: NDArray[np.float64],
    writer: RunWriter,
) -> None:
    """What it takes to use the model, and features of what it learned from, which drift is watched with."""
    from safetensors.numpy import save_file

    learned = (parts.train + parts.validation)[:REFERENCE_ROWS]
    reference = np.array([base_features(row.content) for row in learned], dtype=np.float32)
    with artifacts.replacing(folder / ENCODER_REFERENCE) as temporary:
        save_file({"reference": reference}, temporary)
    rows = parts.train + parts.validation + parts.test
    fitted = {
        "mean": report["mean"], "spread": report["spread"], "max_tokens": config.max_tokens, "encoder": config.model,
    }  # fmt: skip
    info = TabularInfo(
        writer.run.id, "prompts", ENCODER, BASE_NAMES, confidence_table(labels_of(parts.test), predicted),
        config.source, len(rows), len({row.group for row in rows}), now_iso(), to_json(report["metrics"]), fitted,
    )  # fmt: skip
    write_info(folder, info)


def divided(settings: Settings, config: PromptModelConfig) -> Parts:
    """By author. Raises TrainingError where too little is left after cleaning."""
    from pipeline.errors import TrainingError

    task = get_task("prompts")
    rows = list(clean(task.rows(settings, config.source), task).kept)
    if len(rows) < FEWEST or len({row.group for row in rows}) < FEWEST_GROUPS:
        raise TrainingError(
            NN_(
                "{n} usable prompt is too few: {fewest} of {groups} authors are needed.",
                "{n} usable prompts are too few: {fewest} of {groups} authors are needed.",
            ),
            n=len(rows),
            fewest=FEWEST,
            groups=FEWEST_GROUPS,
        )
    held = speaker_holdout([row.group for row in rows], config.test_share, config.seed)
    rest = [row for row, out in zip(rows, held, strict=True) if not out]
    chooses = speaker_holdout([row.group for row in rest], config.validation_share, config.seed + 1)
    return Parts(
        [row for row, out in zip(rest, chooses, strict=True) if not out],
        [row for row, out in zip(rest, chooses, strict=True) if out],
        [row for row, out in zip(rows, held, strict=True) if out],
    )


def load_encoder(folder: Path) -> Callable[[Sequence[str]], NDArray[np.float64]]:
    """A function from texts to scores 0-100 [n]. Raises ModelError for a folder without a whole model."""
    require(WHAT, ("transformers",), ModelError)
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    without_progress_bars()
    check_weights(folder)
    info = load_info(folder)
    try:
        model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        config = PromptModelConfig(max_tokens=int(info.settings["max_tokens"]))
        mean, spread = float(info.settings["mean"]), float(info.settings["spread"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            N_("{folder} holds no model of prompts that can be read: {reason}."),
            folder=str(folder),
            reason=said_by(error),
        ) from error

    def score(texts: Sequence[str]) -> NDArray[np.float64]:
        rows = [Row("", "", text, 0.0, None) for text in texts]
        return _predicted(model, tokenizer, rows, config, "cpu", mean, spread)

    return score


def _load(config: PromptModelConfig, texts: Sequence[str]) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if config.model == TINY:
        return _tiny(texts, config.max_tokens)
    folder = Path(config.model)
    if not (folder / "config.json").is_file():
        raise ModelError(
            N_("There is no encoder in {folder}: name a folder with config.json, weights and tokenizer."),
            folder=str(folder),
        )
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, local_files_only=True, use_safetensors=True, ignore_mismatched_sizes=True
        )
        return model, AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelError(
            N_("The encoder in {folder} cannot be loaded: {reason}."), folder=str(folder), reason=said_by(error)
        ) from error


def _tiny(texts: Sequence[str], max_tokens: int) -> tuple[Any, Any]:
    """Random, with word pieces of the training texts: to walk the whole way on a CPU."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = [PAD, UNKNOWN, START, END, MASK]
    learner = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    learner.normalizer = normalizers.BertNormalizer()
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    learner.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=TINY_TOKENS, special_tokens=special, show_progress=False)
    )
    ids = {token: learner.token_to_id(token) or 0 for token in special}
    learner.post_processor = processors.BertProcessing((END, ids[END]), (START, ids[START]))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learner, pad_token=PAD, unk_token=UNKNOWN, cls_token=START, sep_token=END, mask_token=MASK
    )
    shape = BertConfig(
        vocab_size=len(tokenizer), hidden_size=TINY_WIDTH, num_hidden_layers=TINY_LAYERS, num_attention_heads=4,
        intermediate_size=2 * TINY_WIDTH, max_position_embeddings=max_tokens + 2, num_labels=1,
        pad_token_id=ids[PAD],
    )  # fmt: skip
    return BertForSequenceClassification(shape), tokenizer


def _encoded(tokenizer: Any, rows: Sequence[Row], config: PromptModelConfig, device: str) -> dict[str, Tensor]:
    encoded = tokenizer(
        [row.content for row in rows], truncation=True, max_length=config.max_tokens, padding=True, return_tensors="pt"
    )
    return {name: encoded[name].to(device) for name in ("input_ids", "attention_mask")}


def _predicted(
    model: Any, tokenizer: Any, rows: Sequence[Row], config: PromptModelConfig, device: str, mean: float, spread: float
) -> NDArray[np.float64]:
    model.eval()
    logits = []
    with torch.inference_mode():
        for start in range(0, len(rows), config.batch_size):
            batch = _encoded(tokenizer, rows[start : start + config.batch_size], config, device)
            logits.append(model(**batch).logits[:, 0].float().cpu().numpy())
    return np.clip(np.concatenate(logits).astype(np.float64) * spread + mean, 0.0, 100.0)


def _rate(step: int, steps: int, warmup_share: float) -> float:
    warm = max(1, round(warmup_share * steps))
    return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
