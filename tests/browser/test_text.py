"""Text of people in a real browser: whatever it is, the browser asks nobody but the server for anything."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from pipeline.settings import Settings
from tests.browser.conftest import expect, foreign, serving
from tests.hostile import IMAGE, fill, query


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("hostile")
    settings = Settings(data_root=root / "data", models_root=root / "models")
    fill(settings, root / "odd")
    with serving(settings) as found:
        yield found


def test_hostile_text_and_addresses_load_nothing(browser: Any, address: str) -> None:
    known = {"set": "odd", "project": "study", "rater": f"{IMAGE} a", "learner": IMAGE, "lesson": "odd"}
    visits = [
        ("label", query()), ("label", known), ("practice", query(practise="practise")), ("practice", known),
        ("compare", known), ("review", known), ("train", {}), ("projects", query()),
    ]  # fmt: skip
    asked: list[str] = []
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.on("request", lambda request: asked.extend(foreign(request.url)))
    for path, parameters in visits:
        page.goto(f"/{path}?{urlencode(parameters)}")
        done = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
        done.locator("[data-testid=stHeading]").first.wait_for()
        shown = page.locator("[data-testid=stMain]")
        assert shown.locator("img[src*=elsewhere]").count() == 0, path
        # Instructions may have links; a heading has an anchor on this page that is made from its text.
        links = shown.locator("a[href*=elsewhere]:not([href^='#']):not([data-testid=stExpander] a)")
        assert links.count() == 0, path
        if path == "train":
            expect(shown).to_contain_text(re.compile(":\u2060?material/face: :\u2060?smile: .*x"))
    context.close()
    assert asked == []
