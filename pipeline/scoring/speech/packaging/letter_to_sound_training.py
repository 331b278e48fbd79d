"""Train the letter-to-sound network on the CMU dictionary, and measure it on words it has not seen."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pipeline import artifacts
from pipeline.jobs.device_queue import fitting_precision
from pipeline.jobs.requirements import require_packages
from pipeline.metrics.transcription import error_rate
from pipeline.quantisation import quantise_dynamic
from pipeline.runs import RunWriter
from pipeline.runs.messages import epoch_of
from pipeline.scoring.speech.lexicon.dictionary import whole_dictionary
from pipeline.scoring.speech.lexicon.letter_to_sound import LETTERS, MAX_LETTERS, REPEATS, STRESSED, letters_of
from pipeline.scoring.speech.listening import ctc
from pipeline.scoring.speech.model_files import RULES_FILE
from pipeline.scoring.speech.packaging.export import export_graph

TOLD_EVERY = 50  # steps
HELD_OUT_OF = 20  # every twentieth word, by its hash, is held out


@dataclass(frozen=True)
class LetterToSoundConfig:
    width: int = 128
    layers: int = 3
    dropout: float = 0.1
    epochs: int = 12
    batch: int = 256
    rate: float = 2e-3
    seed: int = 0


class LetterToSound(nn.Module):
    """[B, n] letter numbers (0 pads) -> log posteriors [B, 3 n, phones]."""

    def __init__(self, config: LetterToSoundConfig) -> None:
        super().__init__()
        self.letter = nn.Embedding(len(LETTERS) + 1, config.width, padding_idx=0)
        self.place = nn.Embedding(MAX_LETTERS, config.width)
        self.copy = nn.Parameter(0.1 * torch.randn(REPEATS, config.width))
        self.near = nn.Conv1d(config.width, config.width, 5, padding=2)
        layer = nn.TransformerEncoderLayer(
            config.width, 4, 3 * config.width, config.dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.context = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.out = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, len(STRESSED)))

    def forward(self, letters: Tensor, missing: Tensor | None = None) -> Tensor:
        found = self.letter(letters)
        found = found + nn.functional.gelu(self.near(found.transpose(1, 2))).transpose(1, 2)
        found = found + self.place(torch.arange(letters.shape[1], device=letters.device))
        found = (found[:, :, None] + self.copy).flatten(1, 2)
        mask = None if missing is None else missing.repeat_interleave(REPEATS, dim=1)
        log_probs: Tensor = self.out(self.context(found, src_key_padding_mask=mask)).log_softmax(dim=-1)
        return log_probs


def train_letter_to_sound(config: LetterToSoundConfig, folder: Path, writer: RunWriter) -> dict[str, Any]:
    """Writes `letter_to_sound.onnx` into `folder`; returns word and phone error rates on held-out words, where a word
    counts as right if it is any of the dictionary's variants."""
    require_packages("letter-to-sound")
    torch.manual_seed(config.seed)
    draw = np.random.default_rng(config.seed)
    known = {
        word: phones for word, phones in whole_dictionary().items() if word.replace("'", "").isalpha() and len(word) > 1
    }
    held = [word for word in known if int(hashlib.sha256(word.encode()).hexdigest(), 16) % HELD_OUT_OF == 0]
    held_out = set(held)
    index = {name: number for number, name in enumerate(STRESSED)}
    pairs = [
        (letters_of(word), [index[phone] for phone in phones])
        for word, variants in known.items()
        if word not in held_out
        for phones in variants
        if all(phone in index for phone in phones)
        and ctc.fits(REPEATS * len(letters_of(word)), [index[p] for p in phones])
    ]
    model = LetterToSound(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=0.01, fused=True)
    steps = config.epochs * (len(pairs) // config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.rate, steps, pct_start=0.1)
    step = 0
    for epoch in range(config.epochs):
        # Words of like length together, in a fresh order.
        order = np.argsort([len(letters) + draw.random() for letters, _ in pairs], kind="stable")
        batches = np.array_split(order[: len(order) // config.batch * config.batch], len(pairs) // config.batch)
        draw.shuffle(batches)
        losses: list[float] = []
        for rows in batches:
            writer.check_stop()
            letters, missing = _pad([pairs[row][0] for row in rows])
            targets = [pairs[row][1] for row in rows]
            with torch.autocast("cpu", torch.bfloat16, enabled=fitting_precision("auto", "cpu") == "bfloat16"):
                log_probs = model(letters, missing).float()
            loss = nn.functional.ctc_loss(
                log_probs.transpose(0, 1), torch.tensor([p for target in targets for p in target]),
                REPEATS * (~missing).sum(dim=1), torch.tensor([len(target) for target in targets]), zero_infinity=True,
            )  # fmt: skip
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
            step += 1
            if step % TOLD_EVERY == 0:
                message = epoch_of(epoch + 1, config.epochs, losses[-1])
                writer.update(progress=step / steps, message=message)
        found = _measure(model, held, known)
        writer.log_metrics(event="epoch", epoch=epoch + 1, loss=float(np.mean(losses)), **found)
        writer.log(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {found}")
    letters = torch.ones(1, 6, dtype=torch.long)
    export_graph(
        model.eval(), (letters,), folder / RULES_FILE, ("letters",), ("log_probs",),
        ({1: torch.export.Dim("letters", min=2, max=MAX_LETTERS)},),
    )  # fmt: skip
    quantise_dynamic(folder / RULES_FILE, folder / RULES_FILE)
    artifacts.write_json(folder / "letter_to_sound.json", {**found, "config": config})
    return found


def _measure(model: LetterToSound, words: list[str], known: dict[str, tuple[tuple[str, ...], ...]]) -> dict[str, Any]:
    model.eval()
    said: list[list[str]] = []
    with torch.inference_mode():
        for start in range(0, len(words), 512):
            part = words[start : start + 512]
            letters, missing = _pad([letters_of(word) for word in part])
            log_probs = model(letters, missing).double().numpy()
            for row, word in enumerate(part):
                found = ctc.greedy(log_probs[row, : REPEATS * len(letters_of(word))])
                said.append([STRESSED[label] for label in found])
    model.train()
    right = without_stress = 0
    nearest: list[list[str]] = []
    for word, phones in zip(words, said, strict=True):
        variants = [list(variant) for variant in known[word]]
        right += phones in variants
        bare = [[p.rstrip("012") for p in variant] for variant in variants]
        plain = [p.rstrip("012") for p in phones]
        without_stress += plain in bare
        rates = [error_rate([variant], [plain]) for variant in bare]
        nearest.append(bare[int(np.argmin([r.substitutions + r.deletions + r.insertions for r in rates]))])
    errors = error_rate(nearest, [[p.rstrip("012") for p in phones] for phones in said])
    return {
        "n_words": len(words),
        "word_error_rate": 1.0 - right / len(words),
        "word_error_rate_without_stress": 1.0 - without_stress / len(words),
        "phone_error_rate": (errors.substitutions + errors.deletions + errors.insertions) / errors.n_reference,
    }


def _pad(words: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, words))
    letters = torch.tensor([word + [0] * (longest - len(word)) for word in words])
    return letters, letters == 0
