"""A teacher's list as a lesson: pasted or typed lines, a text file, a CSV or Excel table."""

from pipeline.errors import TableError
from pipeline.i18n import N_
from pipeline.practice.lessons import Item
from pipeline.tablefile import Columns, decoded, read_table
from pipeline.text import lines_of
from pipeline.workbook import is_workbook

# Of a table; the other spellings are those of teachers' lists.
COLUMNS: Columns = {
    "text": ("word", "sentence", "words", "sentences", "kelime", "kelimeler", "cümle", "cümleler", "metin"),
    "note": ("notes", "hint", "tip", "not", "notlar", "ipucu", "açıklama"),
}


def items_of_lines(text: str) -> list[Item]:
    """One item for each line that is not empty; a tab stands between text and note, as in cells that were copied."""
    items = []
    for line in lines_of(text):
        item, _tab, note = line.strip().partition("\t")
        if item.strip():
            items.append(Item(item.strip(), " ".join(note.split())))
    return items


def items_of_file(content: bytes) -> list[Item]:
    """Of a table with a column `text` (and `note`), or of a text with one item on each line. Raises TableError."""
    try:
        table = read_table(content, COLUMNS, ("text",))
    except TableError:
        if is_workbook(content) or not content.strip():
            raise
        return items_of_lines(decoded(content)[0])
    for row in table.rows:
        if row.problem is not None:
            raise TableError(N_("Line {line} {problem}"), line=str(row.line), problem=row.problem)
    return [Item(row.cells["text"], row.cells.get("note", "")) for row in table.rows if row.cells.get("text")]
