"""Errors that a person can cause and correct.

Each message names the offending value, what was expected and what to do. The edges (command line, page, HTTP)
show the message and nothing else; any other exception is a defect and keeps its traceback.
"""

from typing import Any

from pipeline.i18n import Message, translated
from pipeline.reasons import own_words


class PronlabError(Exception):
    """Base of every error that is shown to a person as a message.

    It is raised with its msgid and values; `str` of it is English, as commands, the HTTP service and files have it, and
    `words` is in the reader's language. What keeps the error for later, or puts it into another message, takes `text`,
    which can still be translated:

        raise AccessError(N_("{name} is no longer active here. Ask an admin."), name=person.name)
    """

    def __init__(self, text: str = "", /, **values: Any) -> None:
        super().__init__(Message(text, **values) if values else text)

    @property
    def text(self) -> Message:
        text = self.args[0]
        return text if isinstance(text, Message) else Message(text)

    @property
    def words(self) -> str:
        return translated(self.text)


def said_by(error: BaseException) -> str:
    """What an error says, to be kept or put into another message: a `Message` where it is one of ours, was raised with
    one, or has words of our own (`pipeline.reasons`). Those of the system leave out the file, which the sentence around
    them names."""
    if isinstance(error, PronlabError):
        return error.text
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Message) else own_words(error) or str(error)


class AudioError(PronlabError):
    """A recording cannot be read or is outside the accepted limits."""


class CorpusError(PronlabError):
    """A folder, manifest or recording set is missing, malformed or points outside its root."""


class LabelError(PronlabError):
    """A rating or a result file is invalid, or could not be written."""


class TableError(PronlabError):
    """A table that somebody brought (CSV, Excel) cannot be read, or lacks what it needs."""


class FeatureError(PronlabError):
    """An extractor has no features for this recording or text."""


class ModelError(PronlabError):
    """A model is missing, incomplete, of the wrong shape or unsafe to load."""


class TrainingError(PronlabError):
    """A training run cannot start or continue with the given data and settings."""


class JobError(PronlabError):
    """A background job cannot be started, opened or stopped."""


class AttemptError(PronlabError):
    """A learner's attempt could not be saved, read or deleted, or its name cannot be used."""


class UnknownNameError(PronlabError):
    """No scorer, extractor, set or preset has the given name."""


class AccessError(PronlabError):
    """A person is unknown, or their role does not allow the action."""


class ProjectError(PronlabError):
    """A rating project is missing, set up wrongly, or closed."""


class ServiceError(PronlabError):
    """The HTTP service cannot be started as configured."""
