"""Two experts in two browsers on one project, each with recordings of their own, and a reviewer who decides."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from pipeline import jsonl
from pipeline.labels.index import Index
from pipeline.labels.store import LabelStore
from pipeline.people.access import Identity, Role
from pipeline.projects.pairs.judgements import Answer, Judgement, Judgements
from pipeline.projects.pairs.plan import plan_of
from pipeline.projects.project import Project, folder_of, save_project
from pipeline.projects.review import ProjectReview
from pipeline.records import RatingAction, RatingEvent, Segment
from pipeline.settings import Settings
from pipeline.times import now_iso
from tests.browser.conftest import expect, look, shoot, wait_for
from tests.browser.test_labelling import listen, ready

Open = Callable[..., Any]
ADMIN = Identity("Ada", frozenset(Role))


@pytest.fixture
def project(server: tuple[str, Settings]) -> Iterator[Project]:
    """Two experts each rate the whole demo."""
    made = Project("two", "demo", title="Two of us", overlap=2, instructions="Listen to the vowels.")
    yield save_project(server[1], made, ADMIN)
    shutil.rmtree(folder_of(server[1], made.name))


def rate(page: Any, keys: str) -> str:
    """Listen, rate, save; the recording that was rated."""
    target = str(page.locator(".rating-form .target").text_content())
    speaker = str(page.locator(".rating-form").inner_text()).split("participant_")[1][:2]
    listen(page)
    for key in keys:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.get_by_text("Saved: ").wait_for()
    ready(page)
    return f"{target} {speaker}"


def decided(settings: Settings, project: Project, recording_id: str) -> float | None:
    verdict = ProjectReview(settings, project, ADMIN).look(recording_id).verdict
    return None if verdict is None else verdict.score


def test_two_experts_and_a_reviewer(open_page: Open, project: Project, server: tuple[str, Settings]) -> None:
    settings = server[1]
    eve = open_page("label", project=project.name, rater="Eve")
    bob = open_page("label", project=project.name, rater="Bob")
    for page in (eve, bob):
        ready(page)
        page.get_by_text("Listen to the vowels.").wait_for()
    shoot(eve, "label-project")
    shown = [str(page.locator(".rating-form").inner_text()) for page in (eve, bob)]
    assert shown[0] != shown[1], "both have the same recording"
    eve.reload()
    ready(eve)
    assert str(eve.locator(".rating-form").inner_text()).splitlines()[0] == shown[0].splitlines()[0]
    rated = {"Eve": [rate(eve, "5") for _ in range(2)], "Bob": [rate(bob, "1") for _ in range(2)]}
    rows = Index(settings).rows("SELECT evaluator, count(*) AS n FROM events WHERE project = 'two' GROUP BY 1")
    assert {row["evaluator"]: row["n"] for row in rows} == {"Bob": 2, "Eve": 2}
    assert all(len(set(own)) == 2 for own in rated.values())
    eve.get_by_role("button", name="Leave").click()
    eve.get_by_text("The recording is free for others again").wait_for()
    eve.get_by_role("button", name="Continue rating").click()
    ready(eve)

    (first,) = Index(settings).rows("SELECT recording_id FROM events WHERE evaluator = 'Eve' ORDER BY at LIMIT 1")
    recording = Index(settings).recording(first["recording_id"])
    LabelStore(settings).add(recording, RatingEvent("Cem", RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", 10.0))
    rita = open_page("review", project=project.name, rater="Rita")
    rita.get_by_text("the largest difference first").wait_for()
    rita.locator("[data-part=play]").wait_for()
    shoot(rita, "review")
    rita.get_by_role("spinbutton", name="Score").fill("70")
    rita.get_by_role("textbox", name="Reason").fill("clear")
    rita.get_by_role("button", name="Decide").click()
    wait_for(lambda: ProjectReview(settings, project, ADMIN).look(recording.id).verdict is not None, "the decision")
    rita.goto(f"/review?project={project.name}&rater=Rita&recording={quote(recording.id)}")
    rita.get_by_role("button", name="Median").wait_for()
    rita.get_by_role("button", name="Make this decision a known answer").wait_for()
    rita.keyboard.press("m")  # the median of Eve's and Cem's
    wait_for(lambda: decided(settings, project, recording.id) != 70.0, "the decision by a key")
    look(rita, 390)
    rita.goto("/agreement?set=demo")
    rita.locator("p", has_text="not enough overlap").first.wait_for()  # not the cells of the table
    shoot(rita, "agreement-phone")


def test_a_reviewer_compares_and_hears_the_segments_of_raters(
    open_page: Open, project: Project, server: tuple[str, Settings]
) -> None:
    settings = server[1]
    (row,) = Index(settings).rows("SELECT id FROM recordings WHERE text = 'araba' ORDER BY id LIMIT 1")
    recording = Index(settings).recording(row["id"])
    for name, score, shift_s in (("Seg Ayşe", 90.0, 0.0), ("Seg <b>Bob</b>", 40.0, 0.05)):
        segments = (
            Segment("words", 0.1 + shift_s, 0.6 + shift_s, "araba", 0),
            Segment("phones", 0.1 + shift_s, 0.3 + shift_s, "a", 0, 0, {"mispronounced": "e"} if shift_s else {}),
            Segment("phones", 0.3 + shift_s, 0.6 + shift_s, "<i>r</i>", 0, 1),
        )
        event = RatingEvent(name, RatingAction.RATE, "2026-01-01T00:00:00.000+00:00", score, segments=segments)
        LabelStore(settings).add(recording, event)
    rita = open_page("review", project=project.name, rater="Rita", recording=recording.id)
    player = rita.locator(".player")
    player.locator(".tier .segment").first.wait_for()
    shoot(rita, "review-segments")
    names = player.locator(".tier-name").all_text_contents()
    assert names == ["Words · Seg Ayşe", "Words · Seg <b>Bob</b>", "Sounds · Seg Ayşe", "Sounds · Seg <b>Bob</b>"]
    assert player.locator(".segment .label").all_text_contents()[4:] == ["a→e", "<i>r</i>"]

    chosen = player.locator(".tier").nth(3).locator(".segment").nth(1)
    pictures, box = player.locator("canvas.pictures").bounding_box(), chosen.bounding_box()
    assert recording.report is not None
    px_per_s = pictures["width"] / recording.report.duration_s
    assert (box["x"] - pictures["x"]) / px_per_s == pytest.approx(0.35, abs=0.01)
    assert box["width"] / px_per_s == pytest.approx(0.3, abs=0.01)
    chosen.click()  # plays it, and it alone
    expect(player.locator(".time")).to_contain_text("0.65 /")
    assert chosen.get_attribute("aria-label") == "Seg <b>Bob</b>: <i>r</i>, 0.350–0.650 s"
    rita.keyboard.press("ArrowUp")  # the same time, of the other rater
    assert "Seg Ayşe: <i>r</i>, 0.300–0.600 s" in str(
        player.locator("[aria-selected=true]").get_attribute("aria-label")
    )
    rita.keyboard.press("B")
    expect(player.locator(".time")).to_contain_text("0.60 /")
    rita.keyboard.press("o")
    assert not player.locator(".tier").first.is_visible()
    look(rita, 390)


def heard(page: Any) -> None:
    """Wait until both recordings of a pair were heard; they play at once, by default."""
    page.wait_for_function(
        """() => {
            const host = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.pair-desk'));
            const marks = [...(host?.shadowRoot ?? document).querySelectorAll('.side-heard')];
            return marks.length === 2 && marks.every((mark) => mark.textContent.startsWith('✓'));
        }""",
        polling=100,
    )


def test_a_pair_project_to_its_scale(open_page: Open, server: tuple[str, Settings]) -> None:
    """An expert compares by keys and takes an answer back; with the answers of two others there is a scale, and scores
    that become ratings."""
    settings = server[1]
    ids = [recording.id for recording in Index(settings).recordings("demo")]
    gold = {key: {"score": round(10 + 80 * place / len(ids), 1)} for place, key in enumerate(ids) if place > 3}
    before = {file: file.read_bytes() for file in settings.sets_root.glob("demo/**/*_result.json")}
    made = Project("duel", "demo", kind="pairs", comparisons=4, gold=gold)
    project = save_project(settings, made, ADMIN)
    try:
        eve = open_page("label", project=project.name, rater="Eve")
        for key in ("1", "ArrowRight", "t"):
            heard(eve)
            eve.keyboard.press(key)
            eve.keyboard.press("Enter")
            eve.locator(".pair-desk .message", has_text="Saved").wait_for()
            eve.locator(".pair-desk [aria-checked=true]").wait_for(state="detached")
        shoot(eve, "label-pairs")
        eve.keyboard.press("u")
        eve.get_by_text("Your last answer is undone.").wait_for()
        expect(eve.locator(".pair-desk [data-answer=tie]")).to_have_attribute("aria-checked", "true")
        heard(eve)
        eve.keyboard.press("2")
        eve.keyboard.press("Enter")
        eve.locator(".pair-desk .message", has_text="Saved").wait_for()
        judgements = Judgements(settings, project.name)
        assert [j.answer for j in judgements.standing()] == ["left", "right", "right"]
        assert all(min(j.heard or (0, 0)) >= 0.5 for j in judgements.standing())
        eve.get_by_role("button", name="Leave").click()
        eve.get_by_text("is free for others again").wait_for()

        answers = [
            Judgement(name, left, right, Answer.LEFT if left > right else Answer.RIGHT, now_iso(), heard=(1.0, 1.0))
            for name in ("Bob", "Cem")
            for left, right in plan_of(settings, project).pairs
        ]
        jsonl.append(folder_of(settings, project.name) / "judgements.jsonl", *answers)
        eve.goto(f"/review?project={project.name}&rater=Rita")  # at the same desk
        eve.get_by_text("3 raters").wait_for()
        eve.get_by_role("button", name="Save as ratings").click()
        eve.get_by_text("4 ratings saved.").wait_for()
        shoot(eve, "review-pairs")
    finally:
        shutil.rmtree(folder_of(settings, project.name))
        for file in settings.sets_root.glob("demo/**/*_result.json"):
            file.write_bytes(before[file])
        Index(settings).rebuild()
