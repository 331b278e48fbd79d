"""Text of people is text on every page: it is shown as it was written, and loads nothing from anywhere."""

import re
from pathlib import Path
from typing import Any

import pytest

from dashboard.charts.base import literal
from dashboard.charts.score_charts import predicted_against_expert
from dashboard.markup import document, message, plain
from pipeline.markdown import code_span
from pipeline.settings import CHECKOUT, Settings
from tests.hostile import HOST, HTML, IMAGE, PAGES, TEXT, fill, query

# What Streamlit shows as it is: options of select boxes, what was typed, code. Figures are looked at on their own.
LITERAL = {
    "selectbox",
    "multiselect",
    "text_input",
    "text_area",
    "code",
    "dataframe",
    "arrow_data_frame",
    "plotly_chart",
}
RAW = re.compile(
    r"(?<!\\)\[[ul](?<!\\)\]\("  # an image or a link
    r"|(?<!\\)<img|(?<!\\):red\[|:material/face:|:smile:|(?<!\\)\$x|(?<!\\)\*\*b\*\*|https?://elsewhere"
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    root = tmp_path_factory.mktemp("hostile")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    fill(settings, root / "odd")
    return settings


@pytest.fixture
def open_hostile(hostile: Settings, monkeypatch: pytest.MonkeyPatch, quick_harness: None) -> Any:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(hostile.data_root))
    monkeypatch.setenv("PRONLAB_MODELS_ROOT", str(hostile.models_root))

    def open_(view: str, **parameters: str) -> Any:
        page = AppTest.from_file(CHECKOUT / "dashboard" / "app.py", default_timeout=240)
        page.switch_page(f"views/{view}.py")
        for name, value in parameters.items():
            page.query_params[name] = value
        return page.run()

    return open_


def strings_of(proto: Any) -> list[str]:
    """Every string of a message, at any depth."""
    found: list[str] = []
    for field, value in proto.ListFields():
        values = value if not isinstance(value, str | bytes) and hasattr(value, "__len__") else [value]
        for one in values:
            if isinstance(one, str) and field.name not in ("id", "element_id", "raw_text", "query_param_key", "url"):
                found.append(one)
            elif hasattr(one, "ListFields"):
                found += strings_of(one)
    return found


def drawn(block: Any) -> list[tuple[str, Any]]:
    """Kind and message of each element, and the messages of the blocks that hold them (expanders, tabs)."""
    found: list[tuple[str, Any]] = []
    for child in block.children.values():
        if getattr(child, "proto", None) is not None:
            found.append((child.type, child.proto))
        if getattr(child, "children", None):
            found += drawn(child)
    return found


def offences(page: Any) -> list[str]:
    found = []
    for kind, proto in drawn(page._tree):
        texts = strings_of(proto)
        if kind in ("selectbox", "multiselect", "text_input", "text_area"):
            texts = [getattr(proto, "label", ""), getattr(proto, "help", "")]
        elif kind == "plotly_chart":
            texts = [part for text in texts for part in re.findall(r"<(?:img|a)\b[^>]*>", text)]
        elif kind in LITERAL or "component" in kind:
            continue
        elif kind == "markdown" and texts == [document(f"Instructions: {IMAGE}")]:
            continue  # meant as Markdown, without its image
        found += [f"{kind}: {text[:200]}" for text in texts if RAW.search(text)]
    return found


@pytest.mark.parametrize(("view", "parameters"), PAGES, ids=lambda part: str(part))
def test_no_page_takes_text_for_markup(open_hostile: Any, view: str, parameters: dict[str, str]) -> None:
    known = {"set": "odd", "project": "study", "rater": f"{IMAGE} a", "learner": IMAGE, "lesson": "odd", **parameters}
    page = open_hostile(view, **known)
    assert not page.exception, page.exception
    assert offences(page) == []


@pytest.mark.parametrize("view", sorted({view for view, _ in PAGES}))
def test_no_address_is_taken_for_markup(open_hostile: Any, view: str) -> None:
    page = open_hostile(view, **query())
    assert offences(page) == []


def test_the_look_sees_markup_that_was_let_through(open_hostile: Any) -> None:
    """Else the tests above could not fail."""
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        import streamlit as st

        from tests.hostile import TEXT

        st.expander(TEXT)
        st.button(TEXT)
        st.metric("a", TEXT)
        st.selectbox("a", [TEXT])
        st.radio("a", [TEXT])

    page = AppTest.from_function(script).run()
    assert len(offences(page)) == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (IMAGE, "!\\[u\\](http:\u2060//elsewhere.invalid/x)"),
        (":red[r] :material/face: :smile:", "\\:red\\[r\\] :\u2060material/face: :\u2060smile:"),
        ("$x^2$ a_b *c* ~d~ <e> | `f` \\", "\\$x^2\\$ a\\_b \\*c\\* \\~d\\~ \\<e> \\| \\`f\\` \\\\"),
        ("# a\n- b\r\n1. c\n> d\n===\n---", "\\# a  \n\\- b  \n1\\. c  \n\\> d  \n\\===  \n\\---"),
        ("    code\n\tcode", "code  \ncode"),
        ("R&D &lt; &amp;", "R&D \\&lt; \\&amp;"),
        ("a -> b -- c >= 2", "a -\u2060> b -\u2060- c >\u2060= 2"),
        ("Ayşe Yılmaz, 12:30, 2026-01-01, -1.5 (ev)", "Ayşe Yılmaz, 12:30, 2026-01-01, -1.5 (ev)"),
        ("www.x.com https://x.com", "www\u2060.x.com https:\u2060//x.com"),
    ],
)
def test_markup_is_shown_as_it_was_written(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_code_in_our_messages_stays_code() -> None:
    assert message("No set *a*: `pronlab import DIR` adds one.") == "No set \\*a\\*: `pronlab import DIR` adds one."
    assert message(f"`` {IMAGE} `") == f"\\`\\` {plain(IMAGE)} \\`"
    assert code_span(f"a`{IMAGE}`\nb") == f"`a {IMAGE} b`"


def test_a_document_fetches_nothing() -> None:
    assert document(f"# Card\n{IMAGE} **bold**") == f"# Card\n!\\[u]({HOST}/x) **bold**"


def test_figures_show_names_as_they_are() -> None:
    import pandas as pd

    row = {
        "expert": 1.0,
        "predicted": 2.0,
        "scorer": HTML,
        "scoring_method": "heuristic",
        "speaker": HTML,
        "text": TEXT,
    }
    drawn = str(predicted_against_expert(pd.DataFrame([row])).to_json())
    assert literal(HTML) == f"&lt;img src={HOST}/y&gt;"
    assert "<img" not in drawn
    assert "\\u003cimg" not in drawn


FRONT_END = sorted((CHECKOUT / "dashboard").rglob("*.js")) + sorted((CHECKOUT / "dashboard").rglob("*.py"))


@pytest.mark.parametrize("file", FRONT_END, ids=lambda f: str(f.relative_to(CHECKOUT)))
def test_nothing_is_put_into_a_page_as_html(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    source = source.replace('st.html(HERE / "style.css")', "")  # a file of our own
    assert not re.search(
        r"unsafe_allow_html|unsafe_allow_javascript|st\.html\(|innerHTML|outerHTML|insertAdjacentHTML", source
    )
