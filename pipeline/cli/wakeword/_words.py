"""Words on the command line, refused before anything heavy is loaded; and what the judge of phones knows of one."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli._output import say
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.wakeword.finished_run import FinishedRun
    from pipeline.wakeword.phone_judge import PhoneJudge


class EnglishWord(click.types.StringParamType):
    """A word that the judge of phones can be asked about."""

    name = "word"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises CorpusError for what is no word, or none of English."""
        from pipeline.wakeword.phones import english_word

        return english_word(str(value))


class Filled(click.types.StringParamType):
    """Text that says something: an empty one, of a variable that is not set, would switch off what was asked for."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not text.strip():
            self.fail("It is empty. Give a value, or leave the option away.", param, ctx)
        return text


def basis_of(judge: "PhoneJudge") -> str:
    """What a judge knows of the word, for people: a model that learnt another word says nothing by itself."""
    if judge.learnt is None:
        return (
            f"by the dictionary alone: {judge.word!r} has not been learnt (`pronlab wakeword learn-phones RUN "
            f"{shlex.quote(judge.word)}`, and for a bundle a new export)"
        )
    source = judge.learnt.learnt_from
    return f"as learnt from {source.recordings} recordings and {source.synthetic} synthetic clips"


def judge_of_run(finished: "FinishedRun", word: str) -> "PhoneJudge":
    """Of the phones of a word that a run may have learnt; what the judge knows of it goes to standard error."""
    from pipeline.wakeword.phone_judge import PhoneJudge

    judge = PhoneJudge(Settings.from_env(), word, finished.folder)
    say(f"The listener of phones judges what is detected, {basis_of(judge)}.", err=True)
    return judge


no_phones_option = click.option(
    "--no-phones", is_flag=True, help="Without the judge, though the run has learnt a word."
)


def asked_phones(finished: "FinishedRun", given: str | None, *, never: bool = False) -> str:
    """The word whose phones a judge listens for: the one that was given, else the one that the run has learnt; empty
    for none, and where `never` is set. Raises ModelError where what was learnt cannot be read, or nobody can listen for
    it."""
    from pipeline.wakeword.learnt_word import read_learnt_word
    from pipeline.wakeword.phones import listener_folder

    if given and never:
        raise click.UsageError("Name a word with --phones, or leave the judge away with --no-phones.")
    if given or never or finished.info.words:
        return given or ""
    learnt = read_learnt_word(finished.folder)
    if learnt is None:
        return ""
    try:
        listener_folder(Settings.from_env())
    except ModelError as error:
        raise ModelError(
            N_("{reason} Or leave the judge of {word!r} away with --no-phones."),
            reason=said_by(error),
            word=learnt.word,
        ) from error
    return learnt.word


ENGLISH_WORD, FILLED = EnglishWord(), Filled()
