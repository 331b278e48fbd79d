"""Pair projects: the design, who gets which pair, what is kept, and the scale that follows."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import AccessError, ProjectError
from pipeline.labels.history import LATER
from pipeline.labels.index import Index
from pipeline.metrics.correlation import pearson
from pipeline.people.access import Identity, Role
from pipeline.projects.pairs.design import design, n_groups
from pipeline.projects.pairs.judgements import Answer, Judgement, Judgements
from pipeline.projects.pairs.plan import plan_of
from pipeline.projects.pairs.queue import PairItem, PairQueue, progress_of
from pipeline.projects.pairs.results import PairResults
from pipeline.projects.project import Project, folder_of, get_project, save_project
from pipeline.projects.queue import EmptyQueue
from pipeline.projects.review import ProjectReview
from pipeline.records import Purpose
from pipeline.settings import Settings
from tests.prepared import prepare
from tests.projects.test_projects import ADMIN, expert, ids_of, make_words, words

__all__ = ["words"]

HEARD = (1.0, 1.0)


def pair_project(settings: Settings, **changed: object) -> Project:
    return save_project(settings, Project("duel", "words", kind="pairs", **changed), ADMIN)  # type: ignore[arg-type]


def by_number(item: PairItem) -> Answer:
    """The recording whose file has the higher number is better; of the same number, the second speaker's."""
    left, right = ((r.id.rsplit("/", 1)[1], r.id) for r in (item.left, item.right))
    return Answer.LEFT if left > right else Answer.RIGHT


def compare_all(queue: PairQueue, answer: Callable[[PairItem], Answer] = by_number, most: int = 1000) -> list[PairItem]:
    done = []
    while len(done) < most and isinstance(item := queue.next(), PairItem):
        queue.save(item, answer(item), heard=HEARD)
        done.append(item)
    return done


def test_later_and_its_undo_move_nothing_whatever_it_was(settings: Settings, words: str) -> None:
    queue = PairQueue(settings, pair_project(settings, comparisons=4, repeat_every=12), expert("Eve"))
    purposes, left = set(), queue.progress().left
    while isinstance(item := queue.next(), PairItem):
        queue.save(item, Answer.SKIP, heard=HEARD, reason=LATER)
        assert queue.progress().left == left, item.purpose
        queue.undo()
        assert queue.progress().left == left, item.purpose
        item = queue.next()
        assert isinstance(item, PairItem)
        queue.save(item, Answer.LEFT, heard=HEARD)
        left -= 1
        purposes.add(item.purpose)
        assert queue.progress().left == left, item.purpose
    assert left == 0
    assert purposes == {Purpose.WORK, Purpose.REPEAT}


def test_one_pair_in_two_tabs_is_answered_and_taken_back_once(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=4, overlap=2)
    first, second = (PairQueue(settings, project, expert("Eve")) for _ in range(2))
    here, there = first.next(), second.next()
    assert isinstance(here, PairItem)
    assert isinstance(there, PairItem)
    first.save(here, Answer.LEFT, heard=HEARD)
    with pytest.raises(ProjectError, match="no longer open"):
        second.save(there, Answer.RIGHT, heard=HEARD)
    compare_all(first, most=5)
    with ThreadPoolExecutor(2) as pool:
        undone = {judgement for _item, judgement in pool.map(lambda queue: queue.undo(), (first, second))}
    assert len(undone) == 2
    assert len(Judgements(settings, "duel").standing()) == 4
    assert not undone & set(Judgements(settings, "duel").standing())


# The design


@pytest.mark.parametrize("n", [2, 3, 4, 7, 20, 101])
@pytest.mark.parametrize("comparisons", [2, 5, 10])
def test_a_design_is_balanced_and_connected(n: int, comparisons: int) -> None:
    pairs = design({f"r{k:03}": "same" for k in range(n)}, comparisons, seed=n)
    degree = Counter(key for pair in pairs for key in pair)
    left = Counter(pair[0] for pair in pairs)
    wanted = min(comparisons, n - 1)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert len(degree) == n
    assert set(degree.values()) <= {wanted, wanted + 1}
    assert sum(degree.values()) <= n * wanted + 1
    assert all(abs(2 * left[key] - degree[key]) <= 1 for key in degree)
    assert n_groups(pairs) == 1


def test_most_pairs_have_one_text_and_the_others_link_the_texts() -> None:
    texts = {f"{text}{k}": text for text in "abcde" for k in range(12)}
    pairs = design(texts, 10, seed=1)
    linking = [pair for pair in pairs if texts[pair[0]] != texts[pair[1]]]
    degree = Counter(key for pair in pairs for key in pair)
    assert set(degree.values()) <= {10, 11}
    assert 0.15 <= len(linking) / len(pairs) <= 0.25
    assert n_groups(pairs) == 1
    anywhere = design(texts, 10, same_text=False, seed=1)
    across = [pair for pair in anywhere if texts[pair[0]] != texts[pair[1]]]
    assert len(across) / len(anywhere) > 0.6


def test_a_design_of_many_texts_is_full_too() -> None:
    texts = {f"r{k:03}": str(min(k, 90)) for k in range(100)}
    pairs = design(texts, 6, seed=2)
    degree = Counter(key for pair in pairs for key in pair)
    assert min(degree.values()) >= 6
    assert max(degree.values()) <= 7
    assert n_groups(pairs) == 1


def test_a_design_grows_with_the_set() -> None:
    texts = {f"r{k:02}": "same" for k in range(20)}
    before = design(texts, 4)
    more = {**texts, "new1": "same", "new2": "other"}
    pairs = design(more, 4, before=before)
    assert pairs[: len(before)] == before
    degree = Counter(key for pair in pairs for key in pair)
    assert degree["new1"] >= 4
    assert degree["new2"] >= 4
    assert n_groups(pairs) == 1
    assert design(more, 4, before=pairs) == pairs
    assert design({"a": ""}, 4) == []


# Who gets what


def test_two_experts_never_get_the_same_pair_and_every_answer_is_kept(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=6)
    queues = {name: PairQueue(settings, project, expert(name)) for name in ("Eve", "Bob")}
    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(queues, pool.map(lambda name: compare_all(queues[name]), queues), strict=True))
    n = len(plan_of(settings, project).pairs)
    given = [frozenset((item.left.id, item.right.id)) for items in done.values() for item in items]
    assert n in (36, 37)  # 12 recordings in 6 pairs each, or one in 7
    assert len(given) == len(set(given)) == n
    assert {j.pair for j in Judgements(settings, "duel").standing()} == set(given)
    state = progress_of(settings, project)
    assert (state.items, state.finished, state.needed, state.done) == (12, 12, n, n)


def test_each_pair_goes_to_as_many_experts_as_the_project_says_with_swapped_sides(
    settings: Settings, words: str
) -> None:
    project = pair_project(settings, comparisons=3, overlap=2)
    eve, bob, cem = (PairQueue(settings, project, expert(name)) for name in ("Eve", "Bob", "Cem"))
    first, second = compare_all(eve), compare_all(bob)
    assert isinstance(cem.next(), EmptyQueue)
    sides = {frozenset((item.left.id, item.right.id)): item.left.id for item in first}
    assert {frozenset((item.left.id, item.right.id)) for item in second} == set(sides)
    assert all(sides[frozenset((item.left.id, item.right.id))] == item.right.id for item in second)
    assert [i.lease.recording_id for i in first] != [i.lease.recording_id for i in second]


def test_a_project_that_stops_early_is_balanced(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=10)
    done = compare_all(PairQueue(settings, project, expert("Eve")), most=12)
    times = Counter(key for item in done for key in (item.left.id, item.right.id))
    assert len(times) == 12
    assert max(times.values()) - min(times.values()) <= 2


def test_a_pair_stays_reserved_over_a_reload_and_waits_for_nobody_else(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=2)
    eve, bob = (PairQueue(settings, project, expert(name)) for name in ("Eve", "Bob"))
    item = eve.next()
    assert isinstance(item, PairItem)
    assert eve.next() == replace(item, lease=item.lease)
    compare_all(bob)
    waiting = bob.next()
    assert isinstance(waiting, EmptyQueue)
    assert waiting.reason == "wait"
    eve.leave()
    assert isinstance(bob.next(), PairItem)


def test_repeats_swap_the_sides_and_do_not_show_in_the_figures(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=6, repeat_every=5)
    eve = PairQueue(settings, project, expert("Eve"))
    first: dict[frozenset[str], int] = {}
    sides: dict[frozenset[str], str] = {}
    left = eve.progress().left
    n_repeats = n = 0
    while isinstance(item := eve.next(), PairItem):
        pair = frozenset((item.left.id, item.right.id))
        if pair in first:
            n_repeats += 1
            assert item.purpose is Purpose.REPEAT
            assert n - first[pair] > 10
            assert sides[pair] == item.right.id
        else:
            first[pair], sides[pair] = n, item.left.id
        eve.save(item, by_number(item), heard=HEARD)
        n += 1
        assert eve.progress().left == left - n
    assert n_repeats >= 3
    assert progress_of(settings, project).done == len(first) == len(plan_of(settings, project).pairs)


def test_undo_brings_the_pair_back_with_its_time_and_its_sides(settings: Settings, words: str) -> None:
    now = [1000.0]
    queue = PairQueue(settings, pair_project(settings), expert("Eve"), lambda: now[0])
    with pytest.raises(ProjectError, match="Eve has no answer to undo"):
        queue.undo()
    item = queue.next()
    assert isinstance(item, PairItem)
    now[0] += 7.0
    queue.save(item, Answer.LEFT, heard=HEARD)
    again, last = queue.undo()
    assert again is not None
    assert (again.left, again.right, last.answer, last.took_s) == (item.left, item.right, Answer.LEFT, 7.0)
    now[0] += 3.0
    assert queue.next() == again
    queue.save(again, Answer.RIGHT, heard=HEARD)
    (kept,) = Judgements(settings, "duel").standing()
    assert (kept.answer, kept.took_s, kept.heard) == (Answer.RIGHT, 10.0, HEARD)
    lines = (folder_of(settings, "duel") / "judgements.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["answer"] for line in lines] == ["left", "undo", "right"]


def test_a_skip_needs_a_reason_and_what_was_left_for_later_comes_back(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=2)
    queue = PairQueue(settings, project, expert("Eve"))
    first, n = queue.next(), queue.progress().left
    assert isinstance(first, PairItem)
    with pytest.raises(ProjectError, match="Choose a reason"):
        queue.save(first, Answer.SKIP, heard=(0.0, 0.0), reason=" ")
    queue.save(first, Answer.SKIP, heard=(0.0, 0.0), reason=LATER)
    assert queue.progress().left == n
    second = queue.next()
    assert isinstance(second, PairItem)
    queue.save(second, Answer.SKIP, heard=(0.0, 0.0), reason="I know the speaker")
    rest = compare_all(queue)
    assert rest[-1].lease.recording_id == first.lease.recording_id
    assert second.lease.recording_id not in {item.lease.recording_id for item in rest}
    done = queue.progress()
    assert (done.compared, done.skipped, done.left) == (n - 1, 1, 0)
    assert isinstance(PairQueue(settings, project, expert("Bob")).next(), PairItem)  # the skipped one is for others


@pytest.mark.parametrize(
    ("answer", "heard", "problem"),
    [
        (Answer.LEFT, (1.0, 0.2), "Listen to both recordings first"),
        (Answer.TIE, HEARD, "no ties"),
        (Answer.UNDO, HEARD, "no ties"),
    ],
)
def test_answers_that_mean_nothing_are_not_kept(
    settings: Settings, words: str, answer: Answer, heard: tuple[float, float], problem: str
) -> None:
    queue = PairQueue(settings, pair_project(settings, ties=False), expert("Eve"))
    item = queue.next()
    assert isinstance(item, PairItem)
    with pytest.raises(ProjectError, match=problem):
        queue.save(item, answer, heard=heard)
    assert Judgements(settings, "duel").standing() == []


def test_a_project_with_answers_stays_on_its_set(settings: Settings, tiny_set: str, words: str) -> None:
    project = pair_project(settings)
    compare_all(PairQueue(settings, project, expert("Eve")), most=1)
    with pytest.raises(ProjectError, match="was rated on the set 'words' already"):
        save_project(settings, replace(project, set=tiny_set), ADMIN)


def test_damaged_lines_lose_themselves_alone(settings: Settings, words: str) -> None:
    pair_project(settings)
    file = folder_of(settings, "duel") / "judgements.jsonl"
    Judgements(settings, "duel").add(lambda _: Judgement("Eve", "a", "b", Answer.TIE, "2026-01-01T00:00:00.000+00:00"))
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"evaluator": "Eve"}\n[1]\nnonsense\n{"evaluator": "Bob", "left": "a", "ri')
    Judgements(settings, "duel").add(lambda _: Judgement("EVE", "b", "c", Answer.LEFT, "2026-01-01T00:00:01.000+00:00"))
    Judgements(settings, "duel").add(lambda _: Judgement("eve", "b", "c", Answer.UNDO, "2026-01-01T00:00:02.000+00:00"))
    assert [j.answer for j in Judgements(settings, "duel").standing()] == [Answer.TIE]


def test_excluded_recordings_are_compared_no_more_and_new_ones_join(settings: Settings, words: str) -> None:
    project = pair_project(settings, comparisons=4)
    queue = PairQueue(settings, project, expert("Eve"))
    before = plan_of(settings, project).pairs
    gone = ids_of(settings)[0]
    ProjectReview(settings, project, ADMIN).exclude(gone, "cut off")
    done = compare_all(queue)
    assert gone not in {key for item in done for key in (item.left.id, item.right.id)}
    assert 0 < len(done) == sum(gone not in pair for pair in before)
    changed = save_project(settings, replace(project, comparisons=6), ADMIN)
    after = plan_of(settings, changed).pairs
    assert {pair for pair in before if gone not in pair} <= set(after)
    assert len(after) > len(done)


def test_who_may_not_compare_gets_no_pair(settings: Settings, words: str) -> None:
    project = pair_project(settings, experts=("Eve",))
    with pytest.raises(AccessError, match="Bob is not among the experts"):
        PairQueue(settings, project, expert("Bob"))
    with pytest.raises(AccessError, match="Only experts can rate"):
        PairQueue(settings, project, Identity("Rita", frozenset({Role.REVIEWER})))
    with pytest.raises(ProjectError, match="not a pair project"):
        PairQueue(settings, Project("other", "words"), expert("Eve"))
    with pytest.raises(ProjectError, match="stays a project of its kind"):
        save_project(settings, replace(project, kind="ratings"), ADMIN)
    with pytest.raises(ProjectError, match="comparisons"):
        Project("x", "words", kind="pairs", comparisons=1)
    over = PairQueue(settings, replace(project, closed=True), expert("Eve")).next()
    assert over == EmptyQueue("over")


# The scale


@pytest.fixture
def duel(settings: Settings, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two experts who hear the same compared every pair; three anchors."""
    prepare(make_duel, tmp_path, tmp_path_factory.getbasetemp())
    return get_project(settings, "duel")


def make_duel(settings: Settings, folder: Path) -> None:
    make_words(settings, folder)
    ids = ids_of(settings)
    gold = {ids[0]: {"score": 20.0}, ids[3]: {"score": 60.0}, ids[5]: {"score": 90.0}}
    project = pair_project(settings, comparisons=4, overlap=2, repeat_every=5, gold=gold, title="Duel")
    for name in ("Eve", "Bob"):
        compare_all(PairQueue(settings, project, expert(name)))


def test_the_scale_has_the_order_that_the_experts_heard(settings: Settings, duel: Project) -> None:
    results = PairResults(settings, replace(duel, gold={}), ADMIN)
    result = results.scale()
    numbers = [float(place.recording_id.rsplit("/", 1)[1][:2]) for place in result.places]
    assert (pearson(numbers, [place.value for place in result.places]) or 0.0) > 0.8
    assert all(place.low < place.value < place.high for place in result.places)
    assert result.scale.reliability is not None and result.scale.reliability > 0.3
    assert result.why_no_scores.startswith("Scores need at least two compared recordings")
    bob, eve = results.raters()
    assert (bob.name, eve.name) == ("Bob", "Eve")
    assert eve.repeats.value == 1.0
    assert eve.repeats.n >= 1
    assert (eve.circular, eve.hits.value) == (0, 1.0)
    with pytest.raises(ProjectError, match="at least three raters"):
        results.scale(n_resamples=10)


def test_scores_beside_the_anchors_become_ratings(settings: Settings, duel: Project) -> None:
    ids = ids_of(settings)
    results = PairResults(settings, duel, ADMIN)
    result = results.scale()
    scores = {place.recording_id: place for place in result.places}
    assert (result.n_anchors, result.why_no_scores) == (3, "")
    assert scores[ids[0]].score == pytest.approx(20, abs=12)
    assert scores[ids[5]].score == pytest.approx(90, abs=12)
    values = [place.score or 0.0 for place in result.places]
    assert values == sorted(values, reverse=True)
    assert results.save_as_ratings() == len(ids) - 3
    labels = Index(settings).labels("words")
    assert (set(labels["evaluator"]), set(labels["source"])) == ({"pairs duel"}, {"corpus"})
    by_id = dict(zip(labels["recording_id"], labels["score"], strict=True))
    assert by_id[ids[4]] == pytest.approx(scores[ids[4]].score or 0.0, abs=0.05)
    assert results.save_as_ratings() == 0
    Index(settings).rebuild()
    assert len(Index(settings).labels("words")) == len(ids) - 3
    with pytest.raises(AccessError, match="can import"):
        PairResults(settings, duel, Identity("Ron", frozenset({Role.RESEARCHER}))).save_as_ratings()
    with pytest.raises(AccessError, match="see other people's ratings"):
        PairResults(settings, duel, expert("Eve"))


def test_pairs_from_the_command_line(settings: Settings, duel: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from pipeline.cli.main import main

    monkeypatch.setenv("PRONLAB_DATA_ROOT", str(settings.data_root))

    def call(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["pairs", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    assert "12 recordings in 24 pairs, 1 connected group; 48 of 48 answers." in call("plan", "duel")
    scale = json.loads(call("scale", "duel", "--map", "monotone", "--json"))
    assert len(scale["places"]) == 12
    assert scale["places"][0]["score"] == 90.0
    assert call("scale", "duel").startswith("recording_id,text,speaker,value,low,high,n,score")
    assert "repeats alike 100%" in call("raters", "duel")
    answers = json.loads(call("export", "duel", "--json"))
    assert len(answers) >= 48
    assert set(answers[0]) >= {"evaluator", "left", "right", "answer", "better", "took_s", "heard_left"}
    assert "9 ratings by 'pairs duel' saved" in call("save-ratings", "duel")
    assert "at least three raters" in call("scale", "duel", "--bootstrap", "10", code=1)
    save_project(settings, Project("rated", "words"), ADMIN)
    assert "not a pair project" in call("scale", "rated", code=1)


def test_too_few_answers_make_no_scale(settings: Settings, words: str) -> None:
    project = pair_project(settings)
    with pytest.raises(ProjectError, match="no comparisons yet"):
        PairResults(settings, project, ADMIN).scale()
    compare_all(PairQueue(settings, project, expert("Eve")), most=3)
    results = PairResults(settings, project, ADMIN)
    with pytest.raises(ProjectError, match="not enough comparisons for one scale"):
        results.scale()
    assert [rater.n for rater in results.raters()] == [3]
    assert list(results.table()["answer"]) == [str(j.answer) for j in results.standing]
