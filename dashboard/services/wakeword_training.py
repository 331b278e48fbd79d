"""Trainings of wake words: presets, budgets, what is tuned before, and the runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared, wakeword_clips
from pipeline.people.access import Action
from pipeline.runs import RunListing, RunRecord, scan_runs
from pipeline.runs.comparison import section_of
from pipeline.wakeword.file_names import RATE_RANGE, SEARCH

if TYPE_CHECKING:
    from pipeline.jobs.launcher import Where
    from pipeline.wakeword.config import WakewordConfig
    from pipeline.wakeword.data.clip_library import ClipLibrary
    from pipeline.wakeword.models.budget import Budget

KIND = "wakeword"


@asks(Action.TRAIN)
def runs() -> RunListing:
    """Those that train detectors, newest first, and the folders among all runs that cannot be read."""
    listing = scan_runs(shared.settings().runs_root)
    return RunListing(tuple(run for run in listing.records if run.state.kind == KIND), listing.damaged)


@asks(Action.TRAIN)
def words_of(config: Mapping[str, Any]) -> list[str]:
    """The words with clips here that a run with these settings is of: by what it reports, else by the folders that it
    was trained on."""
    from pipeline.wakeword.data.spoken_word import spoken_word

    data = section_of(config, "data")
    folders = [Path(str(folder)) for folder in data.get("positive") or ()]
    named = {config.get("word"), *(data.get("words") or ()), *(spoken_word(folder)[0] for folder in folders)}
    known = wakeword_clips.words()
    return [word for word in known if word in named] or [
        word for word in known if word in {folder.parent.name for folder in folders}
    ]


@asks(Action.TRAIN)
def start_training(config: WakewordConfig, where: Where) -> str:
    """Raises the errors of `check_ready`, before anything starts."""
    from pipeline.jobs.launcher import launch_training
    from pipeline.wakeword.run import check_ready

    config = config.anchored
    check_ready(shared.settings(), config)
    return launch_training(shared.settings(), KIND, config, where, identity.allowed(Action.TRAIN)).id


@asks(Action.TRAIN)
def presets() -> list[str]:
    """Those of Pronlab, then those saved here."""
    from pipeline.wakeword.config import list_presets

    return [*list_presets(), *saved_presets()]


@asks(Action.TRAIN)
def saved_presets() -> list[str]:
    from pipeline.wakeword.saved_presets import saved_presets

    return saved_presets(shared.settings())


@asks(Action.TRAIN)
def preset(name: str) -> dict[str, Any]:
    """Its settings. Raises TrainingError for an unknown one."""
    from pipeline.wakeword.saved_presets import load_preset

    return load_preset(shared.settings(), name)


@asks(Action.TRAIN)
def save_preset(name: str, config: WakewordConfig) -> str:
    """Returns the name it is kept under. Raises TrainingError for one that cannot be used."""
    from pipeline.wakeword.saved_presets import save_preset

    return save_preset(shared.settings(), name, config)


@asks(Action.TRAIN)
def delete_preset(name: str) -> None:
    from pipeline.wakeword.saved_presets import delete_preset

    delete_preset(shared.settings(), name)


@asks(Action.TRAIN)
def start_rate_range(config: WakewordConfig) -> None:
    """In the background: a short run whose learning rate rises. Raises what `start_training` does."""
    from pipeline.jobs.launcher import launch
    from pipeline.wakeword.run import check_ready

    config = config.anchored
    check_ready(shared.settings(), config)
    launch(
        shared.settings(), kind=RATE_RANGE, name=config.name, argv=["wakeword", "rate-range"],
        root=shared.settings().jobs_root, config=config, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def start_search(config: WakewordConfig, trials: int, steps: int) -> None:
    """In the background: `trials` short trainings of `steps` steps. Raises what `start_training` does."""
    from pipeline.jobs.launcher import launch
    from pipeline.wakeword.run import check_ready

    config = config.anchored
    check_ready(shared.settings(), config)
    launch(
        shared.settings(), kind=SEARCH, name=config.name,
        argv=["wakeword", "search", "--trials", str(trials), "--trial-steps", str(steps)],
        root=shared.settings().runs_root, config=config, seed=config.seed, by=identity.allowed(Action.TRAIN),
    )  # fmt: skip


@asks(Action.TRAIN)
def last_tuning(kind: str, clips: ClipLibrary) -> RunRecord | None:
    """The newest rate range or search on the clips of a word, None where there was none."""
    root = shared.settings().jobs_root if kind == RATE_RANGE else shared.settings().runs_root
    folders = {str(clips.folder("positive")), str(clips.spoken)}
    for record in scan_runs(root).records:
        if record.state.kind == kind and folders & set(section_of(record.config, "data").get("positive") or ()):
            return record
    return None


@asks(Action.TRAIN)
def budget(config: WakewordConfig) -> tuple[Budget, dict[str, list[str]]]:
    """What its model costs, and for each device what it lacks. Raises FeatureError for a speech embedding that cannot
    be used."""
    from pipeline.wakeword.features import check_embedding
    from pipeline.wakeword.models.budget import budget_and_devices

    check_embedding(config.features)
    return budget_and_devices(config)
