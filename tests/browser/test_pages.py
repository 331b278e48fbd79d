"""Journeys of learners and researchers through Practise, Train, Compare and Data, in a real browser."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.i18n import _, speaking
from pipeline.runs import list_runs
from pipeline.settings import CHECKOUT, Settings
from tests.browser.conftest import LIMIT_S, choose, expect, look, say_when_heard, shoot, wait_for
from tests.conftest import make_few

Open = Callable[..., Any]
PAGES = ("", "practice", "compare", "wakeword", "results", "train", "monitor", "tables", "data")
FITS = "e => e.scrollWidth <= e.clientWidth + 1"


@pytest.fixture(scope="module")
def few(server: tuple[str, Settings], tmp_path_factory: pytest.TempPathFactory) -> str:
    make_few(server[1], tmp_path_factory.mktemp("few"))
    return "few"


def settled(page: Any) -> None:
    """Until the script has run and the page shows its title."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] h1").first.wait_for()


def drawn(page: Any) -> None:
    """Until the plots and tables, whose scripts come later, are on the settled page, all is laid out, in the system's
    light or dark, and no colour is on its way to another."""
    settled(page)
    page.wait_for_function(
        """() => {
        const all = (outer, inner) => [...document.querySelectorAll(`[data-testid=${outer}]`)].every(
            (node) => !node.offsetParent || node.closest("details:not([open])") || node.querySelector(inner));
        return all("stPlotlyChart", ".main-svg") && all("stDataFrame", "canvas")
            && !document.querySelector("[data-testid=stSkeleton]"); }"""
    )
    page.wait_for_function(
        """() => {
        const wanted = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
        const ends = (animation) => animation.effect.getComputedTiming().iterations !== Infinity;
        return getComputedStyle(document.querySelector("[data-testid=stApp]")).colorScheme === wanted
            && !document.getAnimations().some((one) => one.playState === "running" && ends(one)); }"""
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_every_page_opens_without_errors_and_fits_its_width(open_page: Open) -> None:
    page = open_page("", set="demo", rater="Ada")
    main = page.locator("[data-testid=stMain]")
    title = page.get_by_role("heading", level=1).first
    drawn(page)
    for name in PAGES:
        if name:  # by the bar on the left: a new document would compile the dashboard's scripts again
            before = title.inner_text()
            page.locator(f"[data-testid=stSidebarNavLink][href$='/{name}']").click()
            expect(title).not_to_have_text(before)
        for width in (390, 1280):
            look(page, width, dark=width == 390)
            drawn(page)
            wait_for(lambda: main.evaluate(FITS), f"the page {name} to fit its width")
            assert page.locator("[data-testid=stException]").count() == 0, name
            shoot(page, f"{name or 'home'}-{width}")


def record(page: Any) -> None:
    """What the microphone says; recording stops by itself."""
    say_when_heard(page)
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("status").filter(has_text="Recorded").wait_for()


def test_a_learner_records_and_sees_a_score_and_earlier_attempts(open_page: Open, server: tuple[str, Settings]) -> None:
    page = open_page("practice", learner="Deniz", text="masa")
    settled(page)
    page.get_by_text("1. Listen").wait_for()
    page.get_by_role("button", name="Keep recordings and scores").click()
    page.get_by_text("What may we keep").wait_for(state="detached")
    settled(page)
    record(page)
    page.get_by_text("Your score").wait_for()
    page.locator(".scored-text .word").wait_for()
    page.get_by_text("Comparison with the reference").wait_for()
    page.get_by_text("Your attempts at this text").wait_for()
    drawn(page)
    shoot(page, "practice-scored")
    attempts = wait_for(lambda: saved_attempts(server[1], "Deniz"), "the saved attempt")
    assert len(attempts) == 1
    saved = json.loads(attempts[0].read_text(encoding="utf-8"))
    assert (saved["learner"], saved["lesson"]) == ("Deniz", "tr-first-words")
    assert saved["result"]["overall"] > 60
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(str(int(saved["result"]["overall"])))
    # A second visit finds the attempt again, and nothing is saved twice.
    page.reload()
    settled(page)
    page.get_by_text("Listen to an attempt").wait_for()
    assert len(saved_attempts(server[1], "Deniz")) == 1


def saved_attempts(settings: Settings, learner: str) -> list[Path]:
    return list((settings.attempts_root / learner).glob("*/*.json"))


def test_a_long_word_fits_a_phone(open_page: Open) -> None:
    long = "Çekoslovakyalılaştıramadıklarımızdanmışsınız"
    page = open_page("practice", width=390, height=844, lesson="free-tr", text=long)
    settled(page)
    upload(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "22_pencere.wav")
    page.locator(".scored-text .word").wait_for()
    drawn(page)
    wait_for(lambda: page.locator("[data-testid=stMain]").evaluate(FITS), "the page to fit its width")


def test_an_uploaded_file_is_scored_and_played_and_rubbish_is_refused(open_page: Open, tmp_path: Path) -> None:
    """A click plays one's own, the reference, or both."""
    page = open_page("practice", text="elma")
    settled(page)
    count_plays(page)
    upload(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "08_elma.wav")
    word = page.locator(".scored-text .word")
    word.click()
    mode = page.get_by_role("radio", name="reference, slowly")
    mode.click()
    assert mode.get_attribute("aria-checked") == "true"
    word.click()
    mode.press("ArrowLeft")
    assert page.get_by_role("radio", name="both in turn").get_attribute("aria-checked") == "true"
    word.click()
    wait_for(lambda: len(page.evaluate("window.played")) == 4, "four plays")
    sources, rates, marked = zip(*page.evaluate("window.played"), strict=True)
    assert set(marked) == {"word"}
    assert rates == (1, 0.6, 1, 1)
    assert sources[0] == sources[2] != sources[1] == sources[3]
    rubbish = tmp_path / "rubbish.wav"
    rubbish.write_bytes(b"this is not audio" * 50)
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(rubbish))
    page.locator("[data-testid=stAlert]").filter(has_text="audio").first.wait_for()


def count_plays(page: Any) -> None:
    """In `window.played`, as (address, rate, class of what is marked as playing): a word is over before one has
    looked."""
    page.evaluate(
        """() => {
        window.played = [];
        const roots = (root) => [root, ...[...root.querySelectorAll("*")].flatMap(
            (node) => node.shadowRoot ? roots(node.shadowRoot) : [])];
        const marked = () => roots(document).map((root) => root.querySelector("[data-playing]")).find(Boolean);
        const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            window.played.push([this.src, this.playbackRate, marked()?.className]); return play.call(this);
        }; }"""
    )


def upload(page: Any, file: Path, *, way: str = "File", score: str = "Your score") -> None:
    """Choose the way `way`, and wait for the heading `score`."""
    page.get_by_text(way, exact=True).first.click()
    chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]")
    chooser.wait_for(state="attached")
    settled(page)
    chooser.set_input_files(str(file))
    page.get_by_text(score).wait_for()


@pytest.mark.parametrize(
    ("locale", "words"), [("en-US", "The file in red was not accepted"), ("tr-TR", "Kırmızı dosya kabul edilmedi")]
)
def test_a_file_of_another_kind_is_refused_in_plain_words(
    open_page: Open, tmp_path: Path, locale: str, words: str
) -> None:
    page = open_page("tables", locale=locale)
    settled(page)
    with speaking(locale[:2]):
        page.get_by_text(_("Import a file"), exact=True).click()
    letter = tmp_path / "letter.docx"
    letter.write_bytes(b"a letter")
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(letter))
    chip = page.locator("[data-testid=stFileChip][aria-invalid=true]")
    told = page.locator("[data-testid=stFileUploader]").evaluate("e => getComputedStyle(e, '::after').content")
    assert words in told
    streamlit_s = page.locator("[data-testid=stTooltipErrorContent]")  # under the mouse, with the MIME type

    def under_the_mouse() -> int:
        page.mouse.move(0, 0)  # a page that is still being laid out moves away from under it
        chip.hover()
        page.wait_for_timeout(500)
        return int(streamlit_s.count())

    wait_for(under_the_mouse, "Streamlit's own words")
    assert not streamlit_s.is_visible()
    page.locator("[data-testid=stFileChipDeleteBtn] button").click()
    chip.wait_for(state="detached")
    told = page.locator("[data-testid=stFileUploader]").evaluate("e => getComputedStyle(e, '::after').content")
    assert words not in told


def test_a_learner_practises_in_turkish(open_page: Open, server: tuple[str, Settings]) -> None:
    page = open_page("practice", locale="tr-TR", learner="Elif")
    settled(page)
    page.locator("html[lang=tr]").wait_for(state="attached")  # the browser's, which is not kept as a choice
    page.get_by_role("heading", name="Alıştırma").wait_for()
    assert "pronlab-language" not in page.evaluate("document.cookie")
    page.get_by_role("button", name="Kayıtları ve puanları sakla").click()
    page.get_by_text("Neleri saklayabiliriz?").wait_for(state="detached")
    choose(page, page.get_by_role("combobox", name="Ders", exact=True), "Türkçe: ı, ö ve ü (15)")
    page.get_by_role("heading", name="kır", exact=True).wait_for()
    choose(page, page.get_by_role("combobox", name="Ders", exact=True), "Türkçe: İlk kelimeler (22)")
    page.get_by_role("heading", name="araba", exact=True).wait_for()
    page.get_by_role("button", name="İleri").click()
    page.get_by_role("heading", name="çiçek", exact=True).wait_for()
    page.get_by_text("2 / 22").wait_for()
    spoken = CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "02_çiçek.wav"
    upload(page, spoken, way="Dosya", score="Puanınız")
    page.locator(".scored-text .word").wait_for()
    page.get_by_role("radio", name="referans, yavaş").wait_for()
    page.get_by_text("İpucunun geçtiği yeri dinleyin").wait_for()
    page.get_by_text("Referansla karşılaştırma").wait_for()
    page.get_by_text("Bu metindeki denemeleriniz").wait_for()
    settled(page)
    shoot(page, "practise-scored-turkish")
    (saved,) = wait_for(lambda: saved_attempts(server[1], "Elif"), "the saved attempt")
    result = json.loads(saved.read_text(encoding="utf-8"))["result"]
    assert result["target"]["text"] == "çiçek"
    # What is on disk does not depend on the reader's language.
    assert any("synthetic voices" in warning for warning in result["warnings"])
    page.get_by_text("İlerleme", exact=True).first.click()
    page.get_by_text("Ortalama puan", exact=True).first.wait_for()


def test_practise_can_be_used_by_keyboard_and_screen_reader(open_page: Open) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = open_page("practice", learner="Deniz", text="masa")
    settled(page)
    upload(page, CHECKOUT / "data" / "demo" / "participant_03" / "kelimeler" / "11_masa.wav")
    page.locator(".scored-text .word").wait_for()
    page.get_by_text("Your recording", exact=True).click()
    page.locator(".player canvas").click()
    page.keyboard.press("v")
    page.get_by_role("dialog", name="View and sound").wait_for()
    for part in ("Practise", "My path", "Progress", "Lessons and voices", "Classes"):
        if part != "Practise":
            page.get_by_text(part, exact=True).first.click()
            page.get_by_text("2. Record").wait_for(state="detached")
        if part == "Lessons and voices":
            page.get_by_role("heading", name="Lessons", exact=True).wait_for()
        for dark in (False, True) if part == "Practise" else (False,):
            look(page, 1280, dark=dark)
            drawn(page)
            # The groups of the navigation are Streamlit's own: headings within a list.
            found = axe.Axe().run(page, context={"exclude": [["[data-testid=stSidebarNav]"]]})
            serious = [v for v in found.response["violations"] if v["impact"] in ("moderate", "serious", "critical")]
            assert not serious, [(v["id"], v["help"], [node["html"][:200] for node in v["nodes"]]) for v in serious]
            # Within our own component, which lives in a shadow root, not even the lesser ones.
            in_shadow = [
                (v["id"], node["html"][:200])
                for v in found.response["violations"]
                for node in v["nodes"]
                if any(isinstance(place, list) for place in node["target"])
            ]
            assert not in_shadow, part


def test_a_training_is_started_watched_and_deployed(open_page: Open, server: tuple[str, Settings], few: str) -> None:
    page = open_page("train", set=few)
    settled(page)
    page.get_by_label("Name of the run").fill("from the browser")
    page.get_by_label("Maximum epochs").fill("10")
    page.get_by_label("Maximum epochs").press("Tab")
    page.get_by_role("button", name="Start training").click()
    runs = wait_for(lambda: list_runs(server[1].runs_root), "a run directory")
    page.get_by_text("Running").or_(page.get_by_text("Waiting")).or_(page.get_by_text("Finished")).first.wait_for()
    wait_for(lambda: runs[0].state.status == "finished", "the training to finish")
    page.get_by_text("Feature importance").wait_for()
    drawn(page)
    shoot(page, "train-finished")
    page.get_by_role("button", name="Deploy this run").click()
    page.get_by_role("button", name="Deploy", exact=True).click()
    wait_for(lambda: (server[1].deployed_root / "word" / "model_info.json").is_file(), "the deployed model")
    page.locator("[data-testid=stMarkdownContainer]").filter(has_text="The deployed model").first.wait_for()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("button", name="Roll back now").click()
    wait_for(lambda: not (server[1].deployed_root / "word").exists(), "the model to leave")


def test_a_set_is_scored_and_compared(open_page: Open, few: str) -> None:
    page = open_page("compare", set=few)
    settled(page)
    page.get_by_role("button", name="Score all recordings").click()
    page.get_by_text("Largest errors").wait_for()
    page.get_by_text("24 recordings of 4 speakers").wait_for()
    page.get_by_text("Bland-Altman", exact=True).click()
    drawn(page)
    shoot(page, "compare-scored")
    page.get_by_role("button", name="Filters").click()
    box = page.get_by_role("combobox", name="Speakers")
    box.click()
    box.type("participant_03")
    page.keyboard.press("Enter")
    page.get_by_text("6 recordings of 1 speaker").wait_for()


def test_a_learner_reads_a_sentence_and_hears_each_word(open_page: Open, tmp_path: Path) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed, and the machine may not install it")
    text = "She sells fresh bread and cheese at the market."
    clip = tmp_path / "clip.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "130", "-w", str(clip), text], check=True)
    page = open_page("practice", height=1600, lesson="en-sentences", learner="Ada", text=text)
    settled(page)
    page.get_by_text("1. Listen").wait_for()
    upload(page, clip)
    words = page.locator(".scored-text .word")
    words.first.wait_for()
    settled(page)
    assert [word.split("\n")[1] for word in words.all_inner_texts()] == text.rstrip(".").split()
    count_plays(page)
    words.nth(3).click()
    page.locator(".scored-text .phone").nth(2).click()
    wait_for(lambda: len(page.evaluate("window.played")) == 2, "two plays")
    assert [marked for _, _, marked in page.evaluate("window.played")] == ["word", "phone"]
    for width in (1280, 390):
        look(page, width, 1600)
        words.nth(3).click()
        wait_for(lambda: page.locator("[data-testid=stMain]").evaluate(FITS), "the page to fit its width")
        shoot(page, f"practice-sentence-{width}")
    page.reload()
    settled(page)
    page.get_by_text("Your attempts at this text").wait_for()


def test_the_language_is_the_browsers_until_somebody_chooses_and_is_remembered(
    browser: Any, server: tuple[str, Settings]
) -> None:
    with speaking("tr"):
        data = _("Data")
    assert data != "Data", "the catalogue lacks it"
    context = browser.new_context(base_url=server[0], locale="en-US")
    page = context.new_page()
    page.set_default_timeout(1000 * LIMIT_S)
    page.goto("/data")
    settled(page)
    page.get_by_role("heading", name="Data").wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"
    choose(page, page.locator("[data-testid=stSidebar]").get_by_role("combobox").last, "Türkçe")
    page.get_by_role("heading", name=data).wait_for()
    wait_for(lambda: page.evaluate("document.documentElement.lang") == "tr", "the language of the document")
    again = context.new_page()
    again.set_default_timeout(1000 * LIMIT_S)
    again.goto("/data")
    again.get_by_role("heading", name=data).wait_for()
    assert "pronlab-language=tr" in again.evaluate("document.cookie")
    context.close()


def test_a_folder_is_sent_with_its_paths_and_only_once(
    open_page: Open, server: tuple[str, Settings], tmp_path: Path
) -> None:
    folder = tmp_path / "class" / "ali"
    folder.mkdir(parents=True)
    words = CHECKOUT / "data" / "demo" / "participant_01" / "kelimeler"
    for name in ("araba", "çiçek"):
        shutil.copy(next(words.glob(f"*_{name}.wav")), folder / f"{name}.wav")
    page = open_page("data", section="Import")
    chooser = page.locator(".folder-drop input[type=file]")
    chooser.set_input_files(folder.parent)
    page.get_by_role("button", name="Import 2 recordings").wait_for()
    (upload,) = (server[1].data_root / "uploads").iterdir()
    assert {file.relative_to(upload / "files").as_posix() for file in upload.rglob("*.wav")} == {
        "class/ali/araba.wav", "class/ali/çiçek.wav",
    }  # fmt: skip
    chooser.set_input_files(folder.parent)
    page.get_by_text("Already received: 2.").wait_for()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Yes, discard them").click()
    wait_for(lambda: not upload.exists(), "the upload to be gone")
