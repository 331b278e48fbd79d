"""The root command: finds the groups lazily, so that `pronlab --help` and `pronlab score` import only their own."""

import importlib
import sys
from typing import Any, NoReturn

import click

from pipeline import __version__
from pipeline.cli._access import guarded
from pipeline.errors import PronlabError

# command name -> (module, attribute, one line of help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "dashboard": ("pipeline.cli.dashboard", "dashboard", "Open the dashboard in the browser."),
    "doctor": ("pipeline.cli.doctor", "doctor", "Check this machine and installation."),
    "demo": ("pipeline.cli.corpus", "demo", "Install or rebuild the synthetic demo corpus."),
    "import": ("pipeline.cli.corpus", "import_", "Import a folder of recordings or a corpus manifest."),
    "index": ("pipeline.cli.corpus", "index", "Rebuild or inspect the index of recordings and ratings."),
    "export": ("pipeline.cli.exchange", "export", "Export ratings: tables, Label Studio, Praat, a dataset."),
    "import-ratings": ("pipeline.cli.exchange", "import_ratings", "Import ratings from a table or Label Studio."),
    "label": ("pipeline.cli.label", "label", "Rate, skip, flag or undo from the command line."),
    "agreement": ("pipeline.cli.agreement", "agreement", "Show how far raters agree, with intervals."),
    "project": ("pipeline.cli.project", "project", "Review rating projects: disputes, decisions, consensus."),
    "pairs": ("pipeline.cli.pairs", "pairs", "Pair projects: the scale, raters' consistency, answers."),
    "rubric": ("pipeline.cli.rubric", "rubric", "List, show, check or add rubrics: how experts rate."),
    "lesson": ("pipeline.cli.practice", "lesson", "List, add or remove lessons for learners."),
    "reference": ("pipeline.cli.practice", "reference", "Choose the recordings that learners hear as reference."),
    "learner": ("pipeline.cli.practice", "learner", "Reset the PIN of a learner's name."),
    "guide": ("pipeline.cli.guide", "guide", "Guide through a task: what is done, what comes next, remedies."),
    "features": ("pipeline.cli.features", "features", "Extract features into a CSV file."),
    "train": ("pipeline.cli.train", "train", "Train a model."),
    "deploy": ("pipeline.cli.deploy", "deploy", "Deploy the model of a finished run, or roll back."),
    "models": ("pipeline.cli.models", "models", "Manage models: candidate, deployed, retired; shadows, comparisons."),
    "table": ("pipeline.cli.table", "table", "Clean tables, deploy their models, score items; written prompts."),
    "runs": ("pipeline.cli.runs", "runs", "List, show, stop, resume, compare, report or delete runs."),
    "wakeword": ("pipeline.cli.wakeword", "wakeword", "Wake words: clips, training, evaluation, export, detection."),
    "results": (
        "pipeline.cli.results",
        "results",
        "Compare our results with the paper, published systems and experts.",
    ),
    "serve": ("pipeline.cli.serve", "serve", "Serve scores over HTTP."),
    "serve-key": ("pipeline.cli.serve", "serve_key", "Manage the API keys of the HTTP service."),
    "score": ("pipeline.cli.score", "score", "Score one recording."),
    "score-set": ("pipeline.cli.score", "score_set", "Score every recording of a set, for the Compare page."),
    "evaluate": ("pipeline.cli.score", "evaluate", "Measure a scorer against experts on a manifest or set."),
}


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is no click command")
        return guarded(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """One line and exit code 1 for all that a person or the machine caused; a defect keeps its traceback, and with
        --debug everything does."""
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.ClickException as error:
            command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "pronlab"
            _give_up(f"{error.format_message()} See `{command} --help`.")
        except PronlabError as error:
            _give_up(str(error))
        except BrokenPipeError:  # whoever read the output has had enough
            raise
        except OSError as error:  # a folder that cannot be made, a full disk
            from pipeline.runs.failures import of_the_system

            _give_up(of_the_system(error))
        except Exception as error:  # libraries have their own classes for a full disk or memory
            from pipeline.runs.failures import in_words

            words = in_words(error)
            if words is None:
                raise
            _give_up(words)


def _give_up(reason: str) -> NoReturn:
    """One clear line, in place of one of progress on a terminal, and exit code 1."""
    from pipeline.cli._output import clear_line, say

    clear_line()
    say(f"pronlab: {' '.join(reason.split())}", err=True)
    sys.exit(1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pronlab")
@click.option("--debug", is_flag=True, envvar="PRONLAB_DEBUG", help="Show the traceback of every error.")
def main(debug: bool) -> None:
    """Label, train on and score pronunciation recordings."""
