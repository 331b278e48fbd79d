"""Every string that the dashboard shows goes through the catalogue, and every language has all of them."""

import ast
import gettext
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from dashboard import markup
from pipeline import i18n
from pipeline.errors import AudioError
from pipeline.settings import CHECKOUT

DASHBOARD_FILES = sorted((CHECKOUT / "dashboard").rglob("*.py"))
LANGUAGES = [code for code in i18n.languages() if code != i18n.SOURCE]
TRANSLATING = {"_", "N_", "ngettext", "pgettext"}
KEYWORDS: dict[str, tuple[int, ...] | tuple[tuple[int, str], int] | None] = {
    "_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
}  # fmt: skip
# Arguments and calls whose strings nobody reads.
UNSEEN_ARGUMENTS = {
    "key", "icon", "bind", "help_key", "type", "format", "mode", "encoding", "axis", "by", "on", "how", "mime",
    "url_path", "orient", "hovertemplate_key", "color", "symbol", "dash", "name_key", "width", "height", "page",
}  # fmt: skip
UNSEEN_CALLS = {
    "debug", "info_log", "warning_log", "getLogger", "recall", "remember", "forget", "get_option", "component",
    "compile", "strptime", "strftime", "TypeVar", "ParamSpec", "namedtuple", "match", "sub", "search", "split",
    "removeprefix", "removesuffix", "startswith", "endswith", "ValueError", "TypeError", "RuntimeError", "KeyError",
    "setLevel", "import_module", "eval",
}  # fmt: skip
NOT_TEXT = re.compile(
    r":material/\w+:|[\w./-]+\.(css|js|json|jsonl|md|csv|py|svg|wav|toml|yaml|zip|po)|[\w-]+/[\w/.-]+"
)
NOT_SHOWN = "# not shown"  # at the end of a line whose strings nobody reads
# Where pages tell, in words of the pipeline, what is wrong with files and people's entries.
TOLD_ON_PAGES = (
    "artifacts.py", "audio", "corpus", "database.py", "features", "jsonl.py", "labels", "locks.py", "people",
    "practice", "presets", "projects", "rubrics", "runs", "tablefile.py", "workbook.py",
)  # fmt: skip
ERRORS = {
    "AccessError", "AttemptError", "AudioError", "CorpusError", "FeatureError", "JobError", "LabelError", "LessonError",
    "NoRoomError", "PinError", "ProjectError", "RubricError", "TableError", "TrainingError", "UnknownNameError",
}  # fmt: skip
TEXT_AT = {"Problem": 1, "Row": 2}  # the argument that is told
WORDS = re.compile(r"[A-Za-z]{2,}[ ,.:;!?'’]|[A-Z][a-z]{2,}")


@cache
def template() -> Catalog:
    """All messages in the code."""
    catalogue = Catalog()
    for part in ("pipeline", "dashboard"):
        found = extract_from_dir(CHECKOUT / part, method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=())
        for file, line, message, comments, context in found:
            catalogue.add(message, locations=[(f"{part}/{file}", line)], user_comments=comments, context=context)
    return catalogue


@cache
def translated(language: str) -> Catalog:
    with i18n.catalogue_file(language).open("rb") as stream:
        return read_po(stream, locale=language, ignore_obsolete=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    catalogue = translated(language)
    missing = []
    for message in template():
        if message.id:
            known = catalogue.get(message.id, message.context)
            texts = () if known is None else known.string if isinstance(known.string, tuple) else (known.string,)
            if not texts or not all(texts) or known.fuzzy:
                missing.append(message.id)
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_translated_that_is_no_longer_there(language: str) -> None:
    known = {(message.id, message.context) for message in template()}
    assert [m.id for m in translated(language) if m.id and (m.id, m.context) not in known] == []
    assert not translated(language).obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_the_same_in_every_language(language: str) -> None:
    differ = []
    for message in translated(language):
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        wanted = placeholders(sources[-1])
        differ += [(message.id, text) for text in texts if text and message.id and placeholders(text) != wanted]
    assert differ == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_can_be_compiled(language: str, tmp_path: Path) -> None:
    with (tmp_path / "pronlab.mo").open("wb") as out:
        write_mo(out, translated(language))


def placeholders(text: str) -> set[str]:
    return {field for _literal, field, _spec, _conversion in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("file", DASHBOARD_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_no_string_goes_past_the_catalogue(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    found = untranslated(ast.parse(text))
    assert [(number, shown) for number, shown in found if NOT_SHOWN not in lines[number - 1]] == []


@pytest.mark.parametrize("part", ["pipeline", "dashboard"])
def test_no_message_hides_in_an_f_string(part: str) -> None:
    """Babel reads no calls within f-strings."""
    hidden = [
        (file.name, call.lineno)
        for file in (CHECKOUT / part).rglob("*.py")
        for text in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in TRANSLATING
        and any(isinstance(argument, ast.Constant) for argument in call.args)
    ]  # fmt: skip
    assert hidden == []


def messages_past_the_catalogue(tree: ast.AST) -> Iterator[int]:
    """The lines on which an error, a problem or a row of an import is given text as it stands."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            place = TEXT_AT.get(name, 0 if name in ERRORS else None)
            text = call.args[place] if place is not None and len(call.args) > place else None
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            if any(isinstance(part, ast.Constant) and re.search("[A-Za-z]{2}", str(part.value)) for part in parts):
                yield call.lineno


@pytest.mark.parametrize("part", TOLD_ON_PAGES)
def test_what_pages_tell_of_files_goes_through_the_catalogue(part: str) -> None:
    place = CHECKOUT / "pipeline" / part
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    assert [
        (file.name, number)
        for file in files
        for text in [file.read_text(encoding="utf-8")]
        for number in messages_past_the_catalogue(ast.parse(text))
        if NOT_SHOWN not in text.split("\n")[number - 1]
    ] == []


@pytest.mark.parametrize("part", ["pipeline", "dashboard"])
def test_reasons_are_asked_for_in_one_place(part: str) -> None:
    """What an error says within another message is `said_by`, not its English text."""
    asked = [
        (file.name, value.lineno)
        for file in (CHECKOUT / part).rglob("*.py")
        if file.name != "reasons.py"
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for value in [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
        if ast.unparse(value).startswith("str(error") or "strerror" in ast.unparse(value)
    ]
    assert asked == []


@pytest.mark.parametrize("file", DASHBOARD_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_nothing_else_is_called_as_the_translation_function(file: Path) -> None:
    """A loop over `_` would make it a local name, and `_("...")` an error."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imports = any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "_" for alias in node.names) for node in ast.walk(tree)
    )
    bound = [
        n.lineno for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "_" and isinstance(n.ctx, ast.Store)
    ]
    assert not (imports and bound)


def test_turkish_has_one_word_for_one_thing() -> None:
    """A word is *kelime*, a clip or a recording *kayıt*."""
    texts = [
        text
        for message in translated("tr")
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
    ]
    assert [text for text in texts if re.search(r"(?i)sözcü[kğ]|kli[pb]", text)] == []


class Marked(gettext.NullTranslations):
    """A catalogue that shows what went through it."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"


def test_an_error_is_shown_in_the_readers_language_and_kept_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_catalogue", lambda language: Marked())
    error = AudioError("{name} has {size:.0f} MB.", name=i18n.Message("the recording"), size=51.2)
    assert str(error) == "the recording has 51 MB."
    assert error.words == "««the recording» has 51 MB.»"
    assert markup.message(error) == markup.message(error.words)
    assert AudioError("a {brace} stays").words == "«a {brace} stays»"
    assert i18n.translated(i18n.joined(["a", i18n.Message("b {n}", n=2)])).startswith("«a; «b 2»»")
    assert str(i18n.joined(["a", i18n.Message("b {n}", n=2)])) == "a; b 2"


def untranslated(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Strings that look like words and are shown as they stand, by line."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in TRANSLATING or name in UNSEEN_CALLS:
            return
        yield from untranslated(node.func)
        for argument in node.args:
            yield from untranslated(argument)
        for keyword in node.keywords:
            if keyword.arg not in UNSEEN_ARGUMENTS:
                yield from untranslated(keyword.value)
        return
    if isinstance(node, ast.Subscript):  # of a table's column, not a text
        yield from untranslated(node.value)
        if isinstance(node.slice, ast.Constant):
            return
        yield from untranslated(node.slice)
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from untranslated(node.value)
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for part in (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d), *node.body):
            yield from untranslated(part)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if WORDS.search(node.value) and not NOT_TEXT.fullmatch(node.value):
            yield node.lineno, node.value
        return
    for child in ast.iter_child_nodes(node):
        yield from untranslated(child)
