"""What experts skip or flag comes to a reviewer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import AccessError
from pipeline.labels.history import current_ratings
from pipeline.labels.store import LabelStore
from pipeline.projects.queue import EmptyQueue, Queue, QueueItem
from pipeline.projects.review import ProjectReview
from pipeline.records import RatingAction, Recording
from pipeline.settings import Settings
from tests.projects.test_projects import ADMIN, expert, project_of, rate_all, rating
from tests.projects.test_projects import words as words


def put_aside(queue: Queue, action: RatingAction, reason: str) -> Recording:
    task = queue.next()
    assert isinstance(task, QueueItem)
    queue.save(task, replace(rating("Eve"), action=action, score=None, reason=reason))
    return task.recording


def test_a_reviewer_sees_why_and_hands_it_back(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    queue, review = Queue(settings, project, expert("Eve")), ProjectReview(settings, project, ADMIN)
    skipped = put_aside(queue, RatingAction.SKIP, "I know the speaker")
    flagged = put_aside(queue, RatingAction.FLAG, "Cut off")
    put_aside(queue, RatingAction.SKIP, "Later")
    rate_all(queue, "Eve")
    assert isinstance(queue.next(), EmptyQueue)
    listed = review.set_aside()
    assert [entry.recording.id for entry in listed] == [flagged.id, skipped.id]
    assert [event.reason for event in listed[0].events.values()] == ["Cut off"]
    review.hand_back(skipped.id, "You may know her.")
    again = queue.next()
    assert isinstance(again, QueueItem)
    assert again.recording.id == skipped.id
    assert [entry.recording.id for entry in review.set_aside()] == [flagged.id]
    review.undo(skipped.id)
    assert [entry.recording.id for entry in review.set_aside()] == [flagged.id, skipped.id]
    review.exclude(flagged.id, "Nothing to save")
    assert [entry.recording.id for entry in review.set_aside()] == [skipped.id]


def test_ratings_stand_whatever_is_handed_back(settings: Settings, words: str) -> None:
    project = project_of(settings, words, overlap=2)
    skipped = put_aside(Queue(settings, project, expert("Eve")), RatingAction.SKIP, "Not my dialect")
    rate_all(Queue(settings, project, expert("Bob")), "Bob")
    ProjectReview(settings, project, ADMIN).hand_back(skipped.id)
    assert list(current_ratings(LabelStore(settings).history(skipped))) == ["Bob"]


def test_only_reviewers_hand_back(settings: Settings, words: str) -> None:
    project = project_of(settings, words)
    skipped = put_aside(Queue(settings, project, expert("Eve")), RatingAction.SKIP, "Not my dialect")
    event = replace(rating("Eve"), action=RatingAction.RETURN, score=None)
    with pytest.raises(AccessError):
        LabelStore(settings).add(skipped, event, expert("Eve"))


def test_the_page_lists_them(settings: Settings, words: str, open_page: Callable[..., Any]) -> None:
    project = project_of(settings, words)
    page = open_page("review", project="study", rater="Rita")
    page.button_group(key="review-show").set_value("aside").run()
    assert "Nothing is set aside" in page.success[0].value
    put_aside(Queue(settings, project, expert("Eve")), RatingAction.FLAG, "Cut off")
    page.run()
    assert not page.exception
    assert "Cut off" in page.selectbox(key="set-aside-recording").value
    rate_all(Queue(settings, project, expert("Bob")), "Bob", most=1)  # who has rated here can be given more
    page.run()
    (experts,) = page.multiselect
    experts.set_value(["Bob"])
    next(button for button in page.button if button.label == "Reassign").click().run()
    assert not page.exception
    assert "Nothing is set aside" in page.success[0].value
    put_aside(Queue(settings, project, expert("Eve")), RatingAction.FLAG, "Cut off")
    page.run()
    next(button for button in page.button if button.label == "Back to the queue").click().run()
    assert not page.exception
    assert "Nothing is set aside" in page.success[0].value
