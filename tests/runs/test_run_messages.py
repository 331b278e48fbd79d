"""What a run says while it goes on, and why it ended, in the language of whoever reads it."""

import ast
import gettext
import json
from pathlib import Path

import pytest

from pipeline.errors import CorpusError
from pipeline.i18n import N_, Message, from_parts, speaking
from pipeline.runs import RunDirectory
from pipeline.runs.messages import how_far, translated
from pipeline.settings import CHECKOUT


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, kind="score-set", name="x", config={})


def in_turkish(text: str | None) -> str:
    with speaking("tr"):
        return translated(text or "")


class Marked(gettext.NullTranslations):
    """A catalogue that shows what went through it."""

    def gettext(self, message: str) -> str:
        return f"«{message}»"


def test_a_message_is_kept_in_english_and_read_in_any_language(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.i18n._catalogue", lambda language: Marked())
    with run.start() as writer:
        writer.update(message=how_far(N_("Scoring"), 1234, 2000))
        writer.update(progress=0.5)
        state = RunDirectory(run.path).state
        assert json.loads((run.path / "run.json").read_text())["message"] == "Scoring: 1234 of 2000"
    assert state.message == "Scoring: 1234 of 2000"
    assert in_turkish(state.message) == "««Scoring»: 1.234 of 2.000»"
    assert in_turkish(how_far(N_("Scoring"), 1, 2, "computer")) == "««Scoring»: 1 of 2 computer»", "a name stays"
    assert in_turkish(how_far(N_("Scoring"), 1, 2, Message("answers"))) == "««answers»: 1 of 2»", "what is counted"


def test_why_a_run_failed_is_read_in_any_language(run: RunDirectory) -> None:
    with pytest.raises(CorpusError), run.start():
        raise CorpusError(N_("There is no clip {name!r}."), name="a.wav")
    assert run.state.error == "There is no clip 'a.wav'."
    assert in_turkish(run.state.error) == "'a.wav' adlı bir kayıt yok."
    run.requeue()
    assert run.state.error is None


def test_a_full_disk_is_read_in_any_language(run: RunDirectory) -> None:
    with pytest.raises(Exception, match="disk is full"), run.start():
        raise OSError(28, "No space left on device", "/x/y")
    assert "The disk is full: /x/y could not be written. Completed files are kept." in str(run.state.error)
    assert "/x/y" in in_turkish(run.state.error) and "The disk" not in in_turkish(run.state.error)


@pytest.mark.parametrize(
    "parts",
    [
        None, [], {"message": 3}, {"message": {"msgid": "x"}}, {"message": {"msgid": "{x}", "values": {}}},
        {"message": {"msgid": "{x:.2f}", "values": {"x": None}}}, {"message": {"msgid": "another", "values": {}}},
    ],
)  # fmt: skip
def test_damaged_parts_leave_the_text(run: RunDirectory, parts: object) -> None:
    raw = json.loads((run.path / "run.json").read_text()) | {"message": "as it is", "messages": parts}
    (run.path / "run.json").write_text(json.dumps(raw))
    assert (run.state.message, in_turkish(run.state.message)) == ("as it is", "as it is")


def test_messages_within_messages_come_back() -> None:
    whole = Message("{work}: {n:.1f}", work=Message("Scoring"), n=2.25)
    again = from_parts(json.loads(json.dumps(whole.as_parts())))
    assert (again, again.values["work"].msgid) == (whole, "Scoring")


def test_no_run_says_what_cannot_be_translated() -> None:
    """`message` of a run is a Message, not a text made of pieces."""
    plain = [
        (str(file.relative_to(CHECKOUT)), call.lineno)
        for file in (CHECKOUT / "pipeline").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "update"
        for keyword in call.keywords
        if keyword.arg == "message"
        and (
            isinstance(keyword.value, ast.JoinedStr)
            or (isinstance(keyword.value, ast.Constant) and keyword.value.value)
        )
    ]
    assert plain == []


def test_numbers_of_plain_warnings_have_the_readers_decimal_mark() -> None:
    said = "MAE 16.9 misses the target of 10 points: label more recordings and speakers, look at the largest errors on "
    assert "16,9" in in_turkish(f"{said}the Compare page, or try another extractor.")
