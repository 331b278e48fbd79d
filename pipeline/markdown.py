"""Text of people and files within Markdown that is written here: cards, tables, pages."""

import re

# What may begin or end something in GitHub's Markdown, in LaTeX between dollars, or in Streamlit's directives. Brackets
# and exclamation marks mean nothing without these.
_MARKS = re.compile(r"[\\`*_\[\]<$~|]|&(?=#?\w+;)|:(?=[^\W\d])")
# At the beginning of a line: headings, quotations, lists, and the underline of a heading.
_LINE_BEGINS = re.compile(r"^(?:(\d{1,9})(?=[.)](?:\s|$))|(?=[-+=#](?:[-+=#\s]|$)|>))")


def literal(text: object, *, begins: bool = True) -> str:
    """One line that Markdown shows as it was written. `begins`: whether it stands at the beginning of a line."""
    escaped = _MARKS.sub(r"\\\g<0>", re.sub(r"\s+", " ", str(text)))
    return _LINE_BEGINS.sub(r"\1\\", escaped) if begins else escaped


def code_span(text: object) -> str:
    """`text` in one line of code."""
    return "`" + re.sub(r"[`\s]+", " ", str(text)).strip() + "`"
