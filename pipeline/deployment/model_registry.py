"""The models of an installation: candidates, the deployed model of each place, and retired ones, with their origin.

`models/registry.jsonl` is an append-only list of events. Whatever lies in the folder of deployed models is deployed, so
that a model put there by hand counts too. Places are `word` and `sentence` (features), `speech-en` (phones) and
`prompts` (written prompts).

Functions that change the registry take who acts (`by`: an identity or a name; optional on an open installation) and
raise AccessError if that person may not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline import jsonl
from pipeline.errors import ModelError
from pipeline.i18n import N_
from pipeline.locks import locked
from pipeline.people.access import Action, Identity
from pipeline.people.people import permit
from pipeline.records import RubricName, Target
from pipeline.scoring.feature_based import deploy as feature_based
from pipeline.scoring.feature_based.model_files import INFO_FILE, is_model_folder, load_info, load_model
from pipeline.scoring.feature_based.model_info import ModelInfo
from pipeline.scoring.feature_based.model_location import find_model
from pipeline.scoring.speech.model_files import FOLDER as SPEECH
from pipeline.scoring.speech.model_files import SpeechInfo, find_speech_model, is_speech_folder
from pipeline.scoring.speech.model_files import load_info as speech_info
from pipeline.scoring.speech.packaging import deploy as speech
from pipeline.settings import Settings
from pipeline.speechllm import deployed as language_model
from pipeline.speechllm.model_files import SpeechLlmInfo, is_speechllm_folder
from pipeline.speechllm.model_files import load_info as language_model_info
from pipeline.tabular import model_files as tabular
from pipeline.times import as_text, now_iso, utc_time

PROMPTS = "prompts"
PLACES = (str(RubricName.WORD), str(RubricName.SENTENCE), SPEECH, PROMPTS)


class Stage(StrEnum):
    """A candidate may score in the shadow or in a comparison."""

    CANDIDATE = "candidate"
    LIVE = "deployed"
    RETIRED = "retired"

    @classmethod
    def _missing_(cls, value: object) -> "Stage | None":
        """Registries of earlier versions say `live`."""
        return cls.LIVE if value == "live" else None


@dataclass(frozen=True)
class Event:
    at: str
    place: str
    model_id: str
    stage: Stage
    by: str
    folder: str
    run: str = ""


@dataclass(frozen=True)
class Entry:
    """A model and its stage. `folder` is None if its files are gone; `made_from` holds what its card says: corpus,
    numbers of recordings and speakers, source of the labels, hash of the data, commit, test metrics."""

    place: str
    model_id: str
    stage: Stage
    since: str
    by: str
    folder: Path | None
    run: str
    made_from: dict[str, Any] = field(default_factory=dict)


def place_of(target: Target) -> str | None:
    """The place whose model scores such a text, its language settled; None where only the heuristic can."""
    if target.rubric is RubricName.SENTENCE and target.language == "en":
        return SPEECH
    return str(RubricName.WORD) if target.rubric is RubricName.WORD else None


def entries(settings: Settings) -> list[Entry]:
    """All models: deployed ones first, then candidates, then retired ones; each the newest first."""
    by_id: dict[tuple[str, str], Entry] = {}
    for event in _events(settings):
        folder = Path(event.folder)
        by_id[event.place, event.model_id] = Entry(
            event.place, event.model_id, event.stage, event.at, event.by, folder if folder.is_dir() else None,
            event.run, _made_from(folder),
        )  # fmt: skip
    for place, folder in _in_use(settings).items():
        model_id = model_id_of(folder)
        for key, entry in list(by_id.items()):
            if key[0] == place and entry.stage is Stage.LIVE and key[1] != model_id:
                by_id[key] = Entry(**{**vars(entry), "stage": Stage.RETIRED})
        known = by_id.get((place, model_id))
        by_id[place, model_id] = Entry(
            place, model_id, Stage.LIVE, known.since if known else "", known.by if known else "",
            known.folder if known and known.folder else folder, known.run if known else "", _made_from(folder),
        )  # fmt: skip
    order = {Stage.LIVE: 0, Stage.CANDIDATE: 1, Stage.RETIRED: 2}
    newest_first = sorted(by_id.values(), key=lambda registered: registered.since, reverse=True)
    return sorted(newest_first, key=lambda registered: (order[registered.stage], PLACES.index(registered.place)))


def get_entry(settings: Settings, model_id: str) -> Entry:
    """The model of that id. Raises ModelError if there is none."""
    entry = next((known for known in entries(settings) if known.model_id == model_id), None)
    if entry is None:
        raise ModelError(
            N_("No model {model!r} is registered. `pronlab models add RUN` registers the model of a run."),
            model=model_id,
        )
    return entry


def add_candidate(settings: Settings, folder: Path, by: Identity | str, run: str = "") -> Entry:
    """Register a model without deploying it. Raises ModelError for a folder without a loadable model."""
    by = _who(settings, by)
    place, model_id = place_of_folder(folder), model_id_of(folder)
    if any(entry.model_id == model_id and entry.stage is Stage.LIVE for entry in entries(settings)):
        raise ModelError(N_("{model} is already deployed."), model=model_id)
    _record(settings, place, model_id, Stage.CANDIDATE, by, folder, run)
    return get_entry(settings, model_id)


def make_live(settings: Settings, folder: Path, by: Identity | str = "", run: str = "") -> Entry:
    """Deploy a model; the previous one is retired and kept for `roll_back`. Raises ModelError."""
    by = _who(settings, by)
    place, model_id = place_of_folder(folder), model_id_of(folder)
    before = _in_use(settings).get(place)
    retired = None if before is None else model_id_of(before)
    if is_speechllm_folder(folder):
        language_model.deploy(settings, folder)
    elif place == SPEECH:
        speech.deploy(settings, folder)
    elif place == PROMPTS:
        tabular.deploy(settings, folder)
    else:
        feature_based.deploy(settings, folder)
    if retired is not None and retired != model_id:
        known = folder_of(settings, retired)
        _record(settings, place, retired, Stage.RETIRED, by, known or before or folder)
    _record(settings, place, model_id, Stage.LIVE, by, folder, run)
    return get_entry(settings, model_id)


def retire(settings: Settings, model_id: str, by: Identity | str = "") -> None:
    """Retire a candidate. Raises ModelError for a deployed model."""
    by = _who(settings, by)
    entry = get_entry(settings, model_id)
    if entry.stage is Stage.LIVE:
        raise ModelError(N_("{model} is deployed. Deploy another model in its place, or roll back."), model=model_id)
    _record(settings, entry.place, model_id, Stage.RETIRED, by, entry.folder or Path(), entry.run)


def roll_back(settings: Settings, place: str, by: Identity | str = "") -> str | None:
    """Deploy the previous model again; its id, or None if the released model scores from now on. Raises ModelError if
    nothing is deployed."""
    by = _who(settings, by)
    if place == SPEECH and not speech.is_deployed(settings):
        raise ModelError(N_("No speech model is deployed, so there is nothing to roll back."))
    gone = _in_use(settings).get(place)
    gone_id = None if gone is None else model_id_of(gone)
    known = None if gone_id is None else folder_of(settings, gone_id)
    if place == SPEECH:
        speech.rollback(settings)
    elif place == PROMPTS:
        tabular.roll_back(settings, PROMPTS)
    else:
        feature_based.rollback(settings, RubricName(place))
    if gone_id is not None:
        _record(settings, place, gone_id, Stage.RETIRED, by, known or Path())
    now = _in_use(settings).get(place)
    if now is not None:
        model_id = model_id_of(now)
        _record(settings, place, model_id, Stage.LIVE, by, folder_of(settings, model_id) or now)
    return None if now is None or not now.is_relative_to(settings.deployed_root) else model_id_of(now)


def is_deployed(settings: Settings, place: str) -> bool:
    """Whether a model was deployed there, so that it can be rolled back; a released one was not."""
    folder = tabular.place_of(settings, PROMPTS) if place == PROMPTS else settings.deployed_root / place
    return folder.exists()


def deployed_folder(settings: Settings, place: str) -> Path | None:
    """The folder of the model that scores at a place, deployed or released; None where only rules do."""
    return _in_use(settings).get(place)


def folder_of(settings: Settings, model_id: str) -> Path | None:
    """The folder that a model was registered with, not that of deployed models; None if it is gone. Reads no model."""
    known = [e.folder for e in _events(settings) if e.model_id == model_id and Path(e.folder).is_dir()]
    return Path(known[-1]) if known else None


def place_of_folder(folder: Path) -> str:
    """The place of the model in a folder. Raises ModelError if there is none."""
    if is_speech_folder(folder) or is_speechllm_folder(folder):
        return SPEECH
    if tabular.is_table_folder(folder):
        task = tabular.load_info(folder).task
        if task not in PLACES:
            raise ModelError(
                N_("{folder} holds a model of the task {task!r}, which is not scored here."),
                folder=str(folder),
                task=task,
            )
        return task
    if is_model_folder(folder):
        return str(load_model(folder).info.rubric)
    raise ModelError(
        N_(
            "{folder} holds no model: expected {info} with its weights, a speech model, or that of a run of `train "
            "speechllm`."
        ),
        folder=str(folder),
        info=INFO_FILE,
    )


def model_id_of(folder: Path) -> str:
    return _info_of(folder).model_id


def _who(settings: Settings, by: Identity | str) -> str:
    """The name saved with a change; "" if none was given."""
    who = permit(settings, by, Action.DEPLOY)
    return who.name if by else ""


def _info_of(folder: Path) -> SpeechInfo | ModelInfo | SpeechLlmInfo | tabular.TabularInfo:
    """Raises ModelError where it holds no model."""
    if is_speechllm_folder(folder):
        return language_model_info(folder)
    if is_speech_folder(folder):
        return speech_info(folder)
    return tabular.load_info(folder) if tabular.is_table_folder(folder) else load_info(folder)


def _in_use(settings: Settings) -> dict[str, Path]:
    folders = {str(rubric): find_model(settings, rubric) for rubric in RubricName}
    hearing = language_model.find_speechllm_model(settings) or find_speech_model(settings)
    folders |= {SPEECH: hearing, PROMPTS: tabular.in_use(settings, PROMPTS)}
    return {place: path for place, path in folders.items() if path is not None}


def _made_from(folder: Path) -> dict[str, Any]:
    names = (
        "trained_on", "part", "n_recordings", "n_speakers", "labels", "label_sources", "data_hash", "git_commit",
        "created_at", "test", "extractor", "encoder", "seed", "averaged", "memory_gb", "source", "n_items", "n_groups",
    )  # fmt: skip
    try:
        info: Any = _info_of(folder)
    except (ModelError, OSError):
        return {}
    return {name: value for name in names if (value := getattr(info, name, None)) not in (None, "", ())}


def _events(settings: Settings) -> Iterator[Event]:
    """Oldest first; a line that cannot be read is passed over."""
    file = _file(settings)
    if not file.is_file():
        return
    for raw in jsonl.read(file, damaged=True):
        try:
            event = Event(**{**raw, "stage": Stage(raw["stage"]), "at": as_text(utc_time(raw["at"]))})
        except (ValueError, KeyError, TypeError):
            continue
        texts = (event.model_id, event.by, event.folder, event.run)
        if event.place in PLACES and all(isinstance(text, str) for text in texts):
            yield event


def _record(settings: Settings, place: str, model_id: str, stage: Stage, by: str, folder: Path, run: str = "") -> None:
    event = Event(now_iso(), place, model_id, stage, by, str(folder), run)
    with locked(settings, _file(settings), ModelError):
        _file(settings).parent.mkdir(parents=True, exist_ok=True)
        jsonl.append(_file(settings), event)


def _file(settings: Settings) -> Path:
    return settings.models_root / "registry.jsonl"
