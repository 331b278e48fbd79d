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
PIPELINE_FILES = sorted((CHECKOUT / "pipeline").rglob("*.py"))
LANGUAGES = [code for code in i18n.languages() if code != i18n.SOURCE]
TRANSLATING = {"_", "N_", "NN_", "ngettext", "pgettext"}
KEYWORDS: dict[str, tuple[int, ...] | tuple[tuple[int, str], int] | None] = {
    "_": None, "N_": None, "NN_": (1, 2), "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
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
# The argument that is told: of a problem with a file, of a row of an import, of a file that an upload refuses.
TEXT_AT = {"Problem": 1, "Row": 2, "Refused": 1}
WORDS = re.compile(r"[A-Za-z]{2,}[ ,.:;!?'’]|[A-Z][a-z]{2,}")
TYPED = {"command", "row"}  # what a person types or writes into a file, whatever their language
SENTENCE = "[A-Za-z]{2,} |[ ,][A-Za-z]{2,}"  # words with blanks between them: no name, option or file


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


@cache
def told_errors() -> frozenset[str]:
    """The names of all errors that a person is shown as a message: `PronlabError` and what derives from it."""
    bases: dict[str, set[str]] = {}
    for file in PIPELINE_FILES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(getattr(base, "id", "") for base in node.bases)
    told = {"PronlabError"}
    while more := {name for name, above in bases.items() if above & told} - told:
        told |= more
    return frozenset(told)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def texts_of(expression: ast.expr, assigned: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """What may stand in the place of an expression: itself, its alternatives, what a local name was given."""
    match expression:
        case ast.IfExp():
            yield from texts_of(expression.body, assigned)
            yield from texts_of(expression.orelse, assigned)
        case ast.BoolOp():
            for value in expression.values:
                yield from texts_of(value, assigned)
        case ast.Name() if expression.id in assigned:
            for value in assigned[expression.id]:
                yield from texts_of(value, {})
        case _:
            yield expression


def is_plain(text: ast.expr, words: str) -> bool:
    """A text or an f-string with words of its own."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return any(isinstance(part, ast.Constant) and re.search(words, str(part.value)) for part in parts)


def locally_assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for name in node.targets:
                if isinstance(name, ast.Name):
                    assigned.setdefault(name.id, []).append(node.value)
    return assigned


def messages_past_the_catalogue(tree: ast.AST) -> set[int]:
    """The lines on which an error, a problem or a row of an import is given text as it stands, or a sentence within its
    values. Problems of the HTTP service begin with a status and are English, as is all that it answers."""
    lines: set[int] = set()
    for function in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        assigned = locally_assigned(function) if isinstance(function, ast.FunctionDef) else {}
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name not in {*told_errors(), *TEXT_AT, "Message"} or is_status(call.args[:1]):
                continue
            place = TEXT_AT.get(name, 0)
            told = call.args[place : place + 1] if name != "Message" else []
            values = [keyword.value for keyword in call.keywords if keyword.arg not in TYPED]
            if any(is_plain(text, "[A-Za-z]{2}") for one in told for text in texts_of(one, assigned)) or any(
                is_plain(text, SENTENCE) for value in values for text in texts_of(value, assigned)
            ):
                lines.add(call.lineno)
    return lines


def is_status(arguments: list[ast.expr]) -> bool:
    return any(isinstance(argument, ast.Constant) and isinstance(argument.value, int) for argument in arguments)


@pytest.mark.parametrize("file", PIPELINE_FILES, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_what_people_are_told_goes_through_the_catalogue(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").split("\n")
    assert [n for n in sorted(messages_past_the_catalogue(parsed(file))) if NOT_SHOWN not in lines[n - 1]] == []


def test_errors_are_put_into_words_for_whoever_reads_them() -> None:
    """Not for whoever was served when they were raised: files and logs keep them in English."""
    at_once = [
        (str(file.relative_to(CHECKOUT)), call.lineno)
        for file in PIPELINE_FILES
        for call in ast.walk(parsed(file))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in told_errors()
        for part in ast.walk(call)
        if isinstance(part, ast.Call) and getattr(part.func, "id", "") in {"_", "ngettext", "translated"}
    ]
    assert at_once == []


def test_errors_of_every_package_are_told() -> None:
    assert told_errors() > {"ModelError", "ServiceError", "RoutingError", "LogError", "RunGone", "Refused"}


@pytest.mark.parametrize(
    "raised",
    [
        'raise ModelError("The weights are damaged.")',
        'raise ServiceError(f"{host} is taken.")',
        'raise JobError("It failed." if failed else N_("It stopped."))',
        'def f():\n    text = f"{n} are missing."\n    raise TrainingError(text)',
        'raise CorpusError(N_("{n} clips{where}."), n=n, where=f" in the part {part}" if part else "")',
        'raise LabelError(N_("Known: {known}."), known=", ".join(names) or "none yet")',
        'Problem("odd", f"{n} are odd.")',
    ],
)
def test_a_message_past_the_catalogue_is_noticed(raised: str) -> None:
    assert messages_past_the_catalogue(ast.parse(raised))


@pytest.mark.parametrize(
    "raised",
    [
        'raise ModelError(N_("{file} is damaged."), file=f"{folder}/model.json")',
        "raise ModelError(error.text)",
        'raise Problem(422, "Send one clip.")',
        'raise ValueError("expected two vectors of one length")',
    ],
)
def test_what_is_in_the_catalogue_or_read_by_nobody_is_let_pass(raised: str) -> None:
    assert not messages_past_the_catalogue(ast.parse(raised))


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
    """A word is *kelime*, a clip or a recording *kayıt*, a judge *denetçi*, a checkpoint *kontrol noktası*."""
    texts = [
        text
        for message in translated("tr")
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
    ]
    assert [
        text for text in texts if re.search(r"(?i)sözcü[kğ]|kli[pb]|yargı[cç]|denetim nokta|öğrenme hız", text)
    ] == []


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
