"""The documents of the repository, and what they show: code blocks, inline code, tables."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.settings import CHECKOUT

DOCS = CHECKOUT / "docs"
OUTSIDE = ("README.md", "CONTRIBUTING.md", "data/README.md", "models/README.md")
DOCUMENTS = [*(CHECKOUT / name for name in OUTSIDE), *sorted(DOCS.rglob("*.md"))]
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCE = re.compile(r"^\s*```(\w*)\s*$")


@dataclass(frozen=True)
class Block:
    """A code block: its language ("" for an indented one) and its lines."""

    language: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def name_of(document: Path) -> str:
    return document.relative_to(CHECKOUT).as_posix()


@cache
def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


@cache
def blocks(document: Path) -> tuple[Block, ...]:
    """Fenced blocks, and blocks that are indented by four or more blanks after an empty line."""
    found: list[Block] = []
    language, lines, inside, empty_before = "", list[str](), False, True
    for line in [*text_of(document).split("\n"), ""]:
        fence = FENCE.match(line)
        if fence and inside:
            found.append(Block(language, tuple(lines)))
            inside, lines = False, []
        elif fence:
            inside, language, lines = True, fence[1], []
        elif inside:
            lines.append(line)
        elif line.startswith("    ") and (empty_before or lines):
            lines.append(line.strip())
        else:
            if lines:
                found.append(Block("", tuple(lines)))
                lines = []
            empty_before = not line.strip()
    return tuple(found)


@cache
def inline_code(document: Path) -> tuple[str, ...]:
    """What stands between single backticks outside of code blocks."""
    outside, inside = list[str](), False
    for line in text_of(document).split("\n"):
        if FENCE.match(line):
            inside = not inside
        elif not inside and not line.startswith("    "):
            outside.append(line)
    return tuple(INLINE.findall("\n".join(outside)))


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table row below a heading row."""
    rows = [line.strip().strip("|").split("|") for line in text.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set("".join(row)) <= set("-: ")]


def section(document: Path, heading: str) -> str:
    """What stands below a heading, up to the next heading of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    text = text_of(document).partition(f"{heading}\n")[2]
    return re.split(rf"^#{{1,{level}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]
