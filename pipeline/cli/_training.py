"""Options of all training commands: where settings come from, and where the work runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import click
from click.core import ParameterSource

from pipeline.cli._access import asker
from pipeline.cli._background import run_option
from pipeline.cli._output import emit, json_option, message_printer, pairs
from pipeline.parallel import is_first_process
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.runs import RunDirectory

T = TypeVar("T")
BEGUN = "pronlab.begun"  # in a command's context: the run that it trains in this process
EXTRACTOR_HELP = (
    "Features: acoustic57 (default, whatever the set; they do not know which word was said), reference (beside a "
    "recording of the same word; what the Train page proposes where every word of the set has one), timing (for "
    "sentences) or encoder (needs PRONLAB_ENCODER_PATH)."
)
balance_option = click.option(
    "--balance", is_flag=True, default=None, help="Weight the items so that every band of scores counts alike."
)


def corpus_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say on what a model of sentences is trained."""
    manifest = "Train on this manifest (see docs/reference/formats.md)."
    part = "Only this part of the corpus (default: train, or all if the corpus has no parts)."
    options = [
        click.option("--manifest", type=click.Path(path_type=Path), help=manifest),
        click.option("--set", "set", help="Train on this imported set."),
        click.option("--part", help=part),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Chosen:
    """The options that every training command has."""

    preset: str | None
    overrides: tuple[str, ...]
    as_json: bool
    resume: str | None = None
    run: Path | None = None
    executor: str | None = None
    devices: int | None = None
    nodes: int | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start(Generic[T]):
    """A run to train in this process."""

    settings: Settings
    directory: "RunDirectory"
    config: T


def training_options(
    presets: str, *, resumable: bool = True, launched: bool = True, reported: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the common options; the command gets them as one argument `chosen`. What is not `launched` runs in this
    process alone, `reported` to the run directory of a page that started it."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_chosen(**given: Any) -> Any:
            common = {key: given.pop(key) for key in Chosen.__dataclass_fields__ if key in given}
            try:
                return command(chosen=Chosen(**common), **given)
            except KeyboardInterrupt:
                _say_how_to_go_on()
                raise

        options = [
            click.option("--preset", help=f"Start from a preset: {presets}."),
            click.option(
                "--override", "overrides", multiple=True, metavar="NAME=VALUE",
                help="Set any setting, also those without an option.",
            ),
            *([click.option("--resume", help="Resume this run from its last checkpoint.")] if resumable else []),
            *(_LAUNCHING if launched else []),
            *([run_option] if reported else []),
            json_option,
        ]  # fmt: skip
        for option in reversed(options):
            with_chosen = option(with_chosen)
        return with_chosen

    return decorate


_LAUNCHING = [
    click.option("--executor", help="Train in the background: local, slurm or ray (default: in this process)."),
    click.option("--devices", type=int, help="Processes (devices) per node (default 1)."),
    click.option("--nodes", type=int, help="Nodes (default 1; more with slurm)."),
    click.option(
        "--option", "options", multiple=True, metavar="NAME=VALUE", help="An executor's option: partition=gpu."
    ),
    run_option,  # whose configuration is used
]


def resolve(
    config_type: type[T],
    chosen: Chosen,
    given: dict[str, Any],
    load_preset: Callable[[str], dict[str, Any]],
    named: Callable[[T], T],
) -> T:
    """The configuration: that of a run that was launched or is resumed, else preset, options and overrides, the later
    over the earlier. Raises TrainingError for settings that cannot be used."""
    from pipeline.jobs.launcher import find
    from pipeline.presets import build, merged, overrides
    from pipeline.runs import RunDirectory

    if chosen.run is not None:
        return build(config_type, RunDirectory(chosen.run).config)
    if chosen.resume is not None:
        return build(config_type, find(Settings.from_env(), chosen.resume).config)
    given_settings = {key: value for key, value in given.items() if value is not None}
    preset = load_preset(chosen.preset) if chosen.preset else {}
    return named(build(config_type, merged(preset, given_settings, overrides(chosen.overrides))))


def prepare(
    kind: str,
    config_type: type[T],
    chosen: Chosen,
    given: dict[str, Any],
    load_preset: Callable[[str], dict[str, Any]],
    named: Callable[[T], T],
    check: Callable[[Settings, T], None] | None = None,
) -> Start[T] | None:
    """The run with its configuration: the launcher's, an earlier one to resume, or a new one. None where the work
    was sent to an executor, which is printed. What a run in this process says of itself is printed on the error stream.
    `check` refuses a configuration before a run is made of it. Raises TrainingError for settings that cannot be used,
    JobError where packages are missing."""
    from pipeline.jobs.launcher import find, launch_training, require_resumable
    from pipeline.jobs.requirements import require_packages
    from pipeline.runs import RunDirectory

    if chosen.resume is not None and chosen.run is None:
        _require_nothing_else(chosen.resume)
    settings, where = Settings.from_env(), _where(chosen)
    config: Any = resolve(config_type, chosen, given, load_preset, named)
    if chosen.run is not None:
        return Start(settings, RunDirectory(chosen.run), config)
    require_packages(kind, config)
    if check is not None and chosen.resume is None:
        check(settings, config)
    if where is not None and chosen.resume is None:
        run = launch_training(settings, kind, config, where, asker())
        text = (
            f"Started {run.id}. `pronlab runs show {run.id}` shows its progress, `pronlab runs stop {run.id}` stops it."
        )
        emit({"run": run.id, "directory": run.path, "status": run.state.status}, chosen.as_json, text)
        return None
    if chosen.resume is not None:
        directory = find(settings, chosen.resume)
        if is_first_process():  # the others of its processes find it running
            require_resumable(directory)
        directory.withdraw_stop()
    else:
        directory = RunDirectory.create(
            settings.runs_root, kind=kind, name=config.name, config=config, seed=config.seed
        )
    click.get_current_context().meta[BEGUN] = directory
    return Start(settings, replace(directory, told=message_printer()), config)


def _say_how_to_go_on() -> None:
    """Of a run that a person has ended at the keyboard, on the error stream."""
    from pipeline.jobs.launcher import is_resumable

    directory = click.get_current_context().meta.get(BEGUN)
    if directory is None or not is_first_process():
        return
    run = directory.id
    if is_resumable(directory.state):
        click.echo(f"\nStopped {run}. `pronlab runs resume {run}` resumes it from its last checkpoint.", err=True)
    else:
        click.echo(f"\nStopped {run}. It keeps no checkpoints: start it again.", err=True)


def _require_nothing_else(run_id: str) -> None:
    """Raises UsageError for options beside `--resume`, none of which could change a run that has begun."""
    context = click.get_current_context()
    others = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.expose_value and parameter.name not in ("resume", "as_json")
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
    ]  # fmt: skip
    if others:
        raise click.UsageError(
            f"A resumed run keeps its settings and goes on in this process: leave {', '.join(others)} away. `pronlab "
            f"runs resume {run_id}` resumes it in the background."
        )


def _where(chosen: Chosen) -> Any:
    from pipeline.jobs.launcher import Where

    if chosen.executor is None:
        if chosen.devices or chosen.nodes or chosen.options:
            raise click.UsageError("--devices, --nodes and --option need --executor (local, slurm or ray).")
        return None
    options = pairs("--option takes NAME=VALUE", chosen.options)
    return Where(chosen.executor, chosen.devices or 1, chosen.nodes or 1, options)
