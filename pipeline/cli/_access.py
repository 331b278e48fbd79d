"""Who runs a command, and whether they may: asked for every command at one place, before anything else happens.

The name comes from `--by` or from PRONLAB_USER and is taken on trust: who can run a command on this machine can read
and change its files anyway. Where there is a list of people the name must be on it, active, and of a role that allows
the command's action; where there is none, anybody may everything.
"""

from dataclasses import dataclass
from typing import Any

import click

from pipeline.i18n import N_
from pipeline.people.access import GUEST, Action, Identity

VARIABLE = "PRONLAB_USER"
_KEY = "pronlab.identity"


@dataclass(frozen=True)
class Need:
    """What a command takes: one of `actions`; `named` where the name is kept with what it does, so that it must be
    given on an open installation, too. `others` are further names of `--by`."""

    actions: tuple[Action, ...]
    named: bool = False
    others: tuple[str, ...] = ()


def _need(*actions: Action, named: bool = False, others: tuple[str, ...] = ()) -> Need:
    return Need(actions, named, others)


_RATE = _need(Action.RATE, named=True, others=("--evaluator",))
_REVIEW = _need(Action.REVIEW, named=True)
_TRAIN = _need(Action.TRAIN)
_DEPLOY = _need(Action.DEPLOY)

# Every command by its path; a test compares this with what there is. None: it starts a server, which asks by itself, or
# shows this machine and nobody's data.
NEEDS: dict[str, Need | None] = {
    "dashboard": None,
    "doctor": None,
    "serve": None,
    "wakeword judge": None,
    "wakeword listen": None,
    "wakeword wyoming": None,
    "demo": _need(Action.IMPORT_DATA),
    "import": _need(Action.IMPORT_DATA),
    "index rebuild": _need(Action.IMPORT_DATA),
    "index status": _need(Action.SEE_SETS),
    "export": _need(Action.EXPORT),
    "import-ratings": _need(Action.IMPORT_DATA),
    "label rate": _RATE,
    "label skip": _RATE,
    "label flag": _RATE,
    "label undo": _RATE,
    "label show": _need(Action.SEE_SETS, others=("--as",)),
    "label repair": _need(Action.MANAGE_PROJECTS, others=("--as",)),
    "label scale": _need(Action.MANAGE_PROJECTS, others=("--as",)),
    "agreement": _need(Action.SEE_RATINGS),
    "project list": _need(Action.SEE_PROJECTS),
    "project disputes": _need(Action.SEE_RATINGS),
    "project experts": _need(Action.SEE_RATINGS),
    "project consensus": _need(Action.SEE_RATINGS),
    "project decide": _REVIEW,
    "project exclude": _REVIEW,
    "project request": _REVIEW,
    "project reassign": _REVIEW,
    "project undo": _REVIEW,
    "pairs plan": _need(Action.SEE_RATINGS),
    "pairs scale": _need(Action.SEE_RATINGS),
    "pairs raters": _need(Action.SEE_RATINGS),
    "pairs export": _need(Action.EXPORT),
    "pairs save-ratings": _need(Action.IMPORT_DATA),
    "learner reset-pin": _need(Action.MANAGE_PEOPLE),
    "rubric list": _need(Action.SEE_PROJECTS),
    "rubric show": _need(Action.SEE_PROJECTS),
    "rubric check": _need(Action.SEE_PROJECTS),
    "rubric add": _need(Action.MANAGE_PROJECTS),
    "rubric use": _need(Action.MANAGE_PROJECTS),
    "lesson list": _need(Action.PRACTISE),
    "lesson add": _need(Action.MANAGE_LESSONS),
    "lesson remove": _need(Action.MANAGE_LESSONS),
    "reference list": _need(Action.PRACTISE),
    "reference add": _need(Action.MANAGE_REFERENCES, named=True),
    "reference remove": _need(Action.MANAGE_REFERENCES, named=True),
    "features": _TRAIN,
    "train word": _TRAIN,
    "train speech": _TRAIN,
    "train letter-to-sound": _TRAIN,
    "train sounds": _TRAIN,
    "train speechllm": _TRAIN,
    "train table": _TRAIN,
    "train prompts": _TRAIN,
    "deploy": _DEPLOY,
    "models list": _need(Action.MONITOR),
    "models add": _DEPLOY,
    "models retire": _DEPLOY,
    "models shadow": _DEPLOY,
    "models compare": _DEPLOY,
    "models end": _DEPLOY,
    "models repair": _DEPLOY,
    "guide word": _TRAIN,
    "table clean": _TRAIN,
    "table deploy": _DEPLOY,
    "table rollback": _DEPLOY,
    "table prompt": _need(Action.PRACTISE),
    "table feedback": _need(Action.COLLECT_PROMPTS),
    "table recording": _need(Action.PRACTISE),
    "table collect": _need(Action.IMPORT_DATA, Action.TRAIN),
    "table synthesize": _TRAIN,
    "runs list": _TRAIN,
    "runs show": _TRAIN,
    "runs stop": _TRAIN,
    "runs delete": _TRAIN,
    "runs note": _TRAIN,
    "runs resume": _TRAIN,
    "runs compare": _TRAIN,
    "runs report": _TRAIN,
    "runs shard": _need(Action.SCORE_SETS),
    "wakeword speak": _TRAIN,
    "wakeword add": _TRAIN,
    "wakeword scan": _TRAIN,
    "wakeword quarantine": _TRAIN,
    "wakeword split": _TRAIN,
    "wakeword analyse": _TRAIN,
    "wakeword train": _TRAIN,
    "wakeword learn-phones": _TRAIN,
    "wakeword features": _TRAIN,
    "wakeword evaluate": _TRAIN,
    "wakeword robustness": _TRAIN,
    "wakeword export": _TRAIN,
    "wakeword budget": _TRAIN,
    "wakeword search": _TRAIN,
    "wakeword rate-range": _TRAIN,
    "wakeword detect": _TRAIN,
    "wakeword enrol": _TRAIN,
    "results": _need(Action.SEE_RESULTS),
    "score": _need(Action.PRACTISE),
    "score-set": _need(Action.SCORE_SETS),
    "evaluate": _TRAIN,
}
# Groups all of whose commands take the same.
GROUPS: dict[str, Need] = {"serve-key": _need(Action.MANAGE_KEYS)}


def need_of(path: str) -> Need | None:
    """What the command at `path` ("label rate") takes. Raises KeyError for one that nobody has thought of."""
    return NEEDS[path] if path in NEEDS else GROUPS[path.partition(" ")[0]]


def asker() -> Identity:
    """Who runs the present command; `guest` where nobody was named on an open installation."""
    identity: Identity = click.get_current_context().find_root().meta[_KEY]
    return identity


def asker_name() -> str:
    """The name to keep with what the command does; "" where nobody was named."""
    return "" if asker() is GUEST else asker().name


def guarded(command: click.Command, path: str) -> click.Command:
    """The command, and all below it, with `--by`: parsed first, so that a refusal comes before anything is read."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            guarded(child, f"{path} {name}")
    elif (need := need_of(path)) is not None and not any(isinstance(parameter, _By) for parameter in command.params):
        command.params.append(_By(need))
    return command


class _By(click.Option):
    def __init__(self, need: Need) -> None:
        super().__init__(
            ["--by", *need.others], envvar=VARIABLE, metavar="NAME", is_eager=True, expose_value=False,
            callback=self._identify, help="Your name; required if this installation has a list of people.",
        )  # fmt: skip
        self._need = need

    def _identify(self, ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        from pipeline.errors import AccessError
        from pipeline.people.people import People
        from pipeline.settings import Settings

        if ctx.resilient_parsing:
            return
        people = People(Settings.from_env())
        name = str(value or "").strip()
        if not name and not people.is_open:
            raise AccessError(
                N_("This installation has a list of people. Give your name with --by NAME or {variable}."),
                variable=VARIABLE,
            )
        if not name and self._need.named:
            raise click.UsageError(f"Give your name with {' or '.join(self.opts)} NAME: it is saved with your change.")
        identity = people.identify(name) if name else GUEST
        identity.require(*self._need.actions)
        ctx.find_root().meta[_KEY] = identity
