"""Text of people and files on a page: shown as it was written, never as Markdown, HTML, LaTeX, an icon or a link.

Nearly everything that Streamlit draws is Markdown: bodies, labels of widgets, help, values of metrics, options of radio
buttons and segments (those of select boxes and cells of tables are not). An image in it is fetched by every browser
that shows it. So whatever was not written in this package goes through a function of this module.
"""

import re

from pipeline.errors import PronlabError
from pipeline.i18n import translated
from pipeline.markdown import literal
from pipeline.text import lines_of

# Replaced after the Markdown is read, so that no backslash helps: `:smile:`, `:material_face:`, `:streamlit:`, web
# addresses, arrows and dashes between blanks. An invisible joiner between two of their letters leaves them as they are.
_REPLACED_LATE = (
    (re.compile(r":(?=(?!\d\d:)[\w+/-]+:)"), ":\u2060"),
    (re.compile(r"(?i)\b(https?:|ftp:|www)(?=//|\.)"), "\\1\u2060"),
    (re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)"), lambda match: "\u2060".join(match[0])),
)
_CODE = re.compile(r"(?<!`)`[^`]+`(?!`)")


def plain(text: object) -> str:
    """`text` as Markdown that shows it literally, wherever Streamlit takes Markdown. Blanks are as HTML shows them,
    line ends stay."""
    return "  \n".join(_escaped(" ".join(line.split())) for line in lines_of(str(text)))


def message(text: object) -> str:
    """An error or a warning of ours in the reader's language, with people's values in it: literal, but for code between
    single backticks."""
    words = text.words if isinstance(text, PronlabError) else translated(text) if isinstance(text, str) else str(text)
    return "  \n".join(_with_code(" ".join(line.split())) for line in lines_of(words))


def document(text: str) -> str:
    """What is meant as Markdown (a model's card, a project's instructions), without what would be fetched."""
    return text.replace("![", "!\\[")


def _with_code(line: str) -> str:
    parts, end = [], 0
    for span in _CODE.finditer(line):
        parts += [_escaped(line[end : span.start()], begins=not end), span[0]]
        end = span.end()
    return "".join([*parts, _escaped(line[end:], begins=not end)])


def _escaped(text: str, *, begins: bool = True) -> str:
    """`begins`: whether the text stands at the beginning of a line."""
    for pattern, replacement in _REPLACED_LATE:
        text = pattern.sub(replacement, text)
    return literal(text, begins=begins)
