"""Why a file that was sent is not kept."""

from pipeline.errors import CorpusError
from pipeline.i18n import Message
from pipeline.records import Problem


class Refused(CorpusError):
    """Names the reason and the cure, in the language of whoever reads it."""

    def __init__(self, code: str, reason: Message) -> None:
        super().__init__(reason)
        self.problem = Problem(code, reason, "error")
