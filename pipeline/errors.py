"""Errors that a person can cause and mend.

Each message names the offending value, what was expected and what to do. The edges (command line, page, HTTP)
show the message and nothing else; any other exception is a defect and keeps its traceback.
"""


class PronlabError(Exception):
    """Base of every error that is shown to a person in words."""


class AudioError(PronlabError):
    """A recording cannot be read or is outside the accepted limits."""


class CorpusError(PronlabError):
    """A folder, manifest or recording set is missing, malformed or points outside its root."""


class LabelError(PronlabError):
    """A rating or a result file is invalid, or could not be written."""


class FeatureError(PronlabError):
    """An extractor has no features for this recording or text."""


class ModelError(PronlabError):
    """A model is missing, incomplete, of the wrong shape or unsafe to load."""


class TrainingError(PronlabError):
    """A training run cannot start or go on with the data and settings given."""


class JobError(PronlabError):
    """A background job could not be started, found or stopped."""


class AttemptError(PronlabError):
    """A learner's attempt could not be saved, read or deleted, or its name cannot be used."""


class UnknownNameError(PronlabError):
    """A registered thing (scorer, extractor, set, preset) was asked for by a name nobody registered."""


class AccessError(PronlabError):
    """Somebody asked for what their role does not allow, or is not known here."""


class ProjectError(PronlabError):
    """A rating project is missing, cannot be as it is set up, or is closed."""


class ServiceError(PronlabError):
    """The HTTP service cannot be started as asked."""
