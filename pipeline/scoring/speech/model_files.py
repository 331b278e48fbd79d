"""A speech model's folder: two ONNX graphs, a vocabulary, letter-to-sound rules, what they mean, and a card."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_, Message, joined
from pipeline.presets import known_values, misfits
from pipeline.scoring.speech.frontend import KINDS, FrontEnd
from pipeline.scoring.speech.labels import LABELS, UTTERANCE_ASPECTS
from pipeline.settings import Settings

FOLDER = "speech-en"
RELEASED = "released"
INFO_FILE, CARD_FILE = "speech.json", "README.md"
LISTENER_FILE, HEAD_FILE = "listener.onnx", "head.onnx"
VOCABULARY_FILE, RULES_FILE = "vocabulary.npz", "letter_to_sound.onnx"
WORDS_LICENCE_FILE = "LICENSE-pocketsphinx.txt"  # goes wherever the vocabulary goes
NEEDED = (INFO_FILE, LISTENER_FILE, HEAD_FILE)
FORMAT = 2  # of what listener and head pass to each other
FILES = (*NEEDED, VOCABULARY_FILE, WORDS_LICENCE_FILE, RULES_FILE, CARD_FILE)


@dataclass(frozen=True)
class MatchRule:
    """P(the text was said) = 1 / (1 + exp(-(bias + sum of weights x rhythm values))), chosen on held-out speakers."""

    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    bias: float = 0.0


@dataclass(frozen=True)
class Decoding:
    """How much the log probabilities of words weigh against the posteriors when no text is given, what is added for
    each word and phone (nats), and how much of the labels' `log_prior` is taken from the posteriors."""

    word_weight: float = 1.1
    per_word: float = -2.0
    per_phone: float = 3.3
    prior_weight: float = 0.45


@dataclass(frozen=True)
class SpeechInfo:
    """What the scorer must know beside the weights, and where they come from.

    `mean` and `spread` turn the head's sentence outputs into 0-10. `wrong_from` is the probability from which a phone
    is called wrong, `accented_below` the score (0-2) under which a right one counts as accented. `confidence` gives,
    for predicted totals 0, 5, .. 100, the share of held-out recordings within 10 points of the experts;
    `wrong_calibration` pairs of (output, share that was wrong). `speakers` are the voices that were trained on, each
    as `<corpus>/<speaker>`; `log_prior` how often the model hears each label but the blank (nats, 0 on average);
    `averaged` the runs whose weights this is the mean of; `listener` the model whose listener this is, where only the
    heads were trained, `heads_only` the speakers whom only these learned from, and `other_listeners` the models that
    heard, for them, the speakers whom this listener had learned from; `n_states` and `width` the layers it gives them
    and their size; `check` what the listener answered on a known sound where the model was made
    (`runtime.check_values`), so that any machine can see whether it hears the same.
    """

    model_id: str
    format: int = FORMAT
    labels: tuple[str, ...] = LABELS
    aspects: tuple[str, ...] = UTTERANCE_ASPECTS
    front_end: str = "log_mel"
    n_mels: int = 80
    frames_per_s: float = 50.0
    n_states: int = 7
    width: int = 512
    mean: tuple[float, ...] = (8.0, 8.0, 8.0, 8.0)
    spread: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    wrong_from: float = 0.5
    accented_below: float = 1.5
    match: MatchRule = field(default_factory=MatchRule)
    confidence: tuple[tuple[float, float], ...] = ()
    wrong_calibration: tuple[tuple[float, float], ...] = ()
    decoding: Decoding = field(default_factory=Decoding)
    log_prior: tuple[float, ...] = (0.0,) * (len(LABELS) - 1)
    language: str = "en"
    encoder: str = ""
    int8: bool = False
    trained_on: str = ""
    part: str = ""
    n_recordings: int = 0
    n_speakers: int = 0
    speakers: tuple[str, ...] = ()
    seed: int = 0
    averaged: tuple[str, ...] = ()
    listener: str = ""
    heads_only: tuple[str, ...] = ()
    other_listeners: tuple[str, ...] = ()
    created_at: str = ""
    git_commit: str | None = None
    data_hash: str = ""
    held_out: dict[str, float] = field(default_factory=dict)
    check: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Raises ModelError for numbers that cannot be a model's."""
        wrong: list[str] = []
        if tuple(self.labels) != LABELS or tuple(self.aspects) != UTTERANCE_ASPECTS:
            wrong.append(Message(N_("its labels or aspects are not those this version knows")))
        if self.front_end not in KINDS:
            wrong.append(
                Message(
                    N_("{name} is one of {known}, got {value!r}"),
                    name="front_end",
                    known=", ".join(KINDS),
                    value=self.front_end,
                )
            )
        if len(self.log_prior) != len(LABELS) - 1:
            wrong.append(
                Message(
                    N_("{name} has {n} values, expected {expected}"),
                    name="log_prior",
                    n=len(self.log_prior),
                    expected=len(LABELS) - 1,
                )
            )
        if not 0 < self.frames_per_s <= 200 or len(self.mean) != 4 or len(self.spread) != 4:
            wrong.append(Message(N_("frames_per_s, mean or spread is out of range")))
        if wrong:
            raise ModelError(
                N_("The model {model} cannot be used: {reasons}."), model=self.model_id, reasons=joined(wrong)
            )

    def front(self) -> FrontEnd:
        return FrontEnd(self.front_end, self.n_mels)

    def has_heard(self, corpus: str, speaker: str) -> bool:
        return f"{corpus}/{speaker}" in self.speakers

    @property
    def listener_speakers(self) -> frozenset[str]:
        """Those of `speakers` whom the listener learned from."""
        return frozenset(self.speakers) - frozenset(self.heads_only)

    def listener_has_heard(self, corpus: str, speaker: str) -> bool:
        return f"{corpus}/{speaker}" in self.listener_speakers


def is_speech_folder(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NEEDED)


def find_speech_model(settings: Settings, given: Path | None = None) -> Path | None:
    """The folder given, else the deployed speech model, else the released one; None where there is none."""
    folders = [given] if given else [settings.deployed_root / FOLDER, settings.released_models / FOLDER]
    return next((folder for folder in folders if is_speech_folder(folder)), None)


def model_source(settings: Settings, named: str) -> Path:
    """The folder of a model whose listener is to be kept or started from: RELEASED names the released one."""
    return settings.released_models / FOLDER if named == RELEASED else Path(named)


def repair(folder: Path) -> list[Path]:
    """Rewrite signed 8-bit weights, which saturate on some processors, as unsigned ones of the same values; the files
    that were changed."""
    from pipeline.quantisation import make_unsigned

    files = [folder / name for name in (LISTENER_FILE, RULES_FILE)]
    return [file for file in files if file.is_file() and make_unsigned(file)]


def save_info(folder: Path, info: SpeechInfo) -> None:
    artifacts.write_json(folder / INFO_FILE, info)


def load_info(folder: Path) -> SpeechInfo:
    """Raises ModelError for a folder that holds no complete speech model."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ModelError(
            N_("{folder} holds no complete speech model: {missing} is missing."),
            folder=str(folder),
            missing=", ".join(missing),
        )
    try:
        raw: dict[str, Any] = artifacts.read_json(folder / INFO_FILE)
        made_as = raw.get("format", 1)
        values = known_values(SpeechInfo, raw)
        match = raw.get("match") or {}
        values["match"] = MatchRule(
            tuple(match.get("names", ())), tuple(match.get("weights", ())), match.get("bias", 0.0)
        )
        decoding = raw.get("decoding") or {}
        values["decoding"] = Decoding(**{f.name: decoding[f.name] for f in fields(Decoding) if f.name in decoding})
        wrong = [
            *misfits(SpeechInfo, values), *misfits(MatchRule, vars(values["match"])),
            *misfits(Decoding, vars(values["decoding"])),
        ]  # fmt: skip
        if wrong:
            raise ValueError(joined(wrong[:3]))
        info = SpeechInfo(**values)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            N_("{path} cannot be read: {reason}."), path=str(folder / INFO_FILE), reason=said_by(error)
        ) from error
    if made_as != FORMAT:
        raise ModelError(
            N_(
                "{folder} was made by another version of Pronlab (format {made_as}, expected {expected}). Train it "
                "again, or use the released model."
            ),
            folder=str(folder),
            made_as=str(made_as),
            expected=FORMAT,
        )
    return info
