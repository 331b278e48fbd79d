"""What the Review page asks for: one project as reviewers see it."""

from dashboard import identity
from dashboard.identity import asks
from dashboard.services import shared
from pipeline.people.access import Action
from pipeline.projects.project import Project
from pipeline.projects.review import ProjectReview


@asks(Action.SEE_RATINGS)
def review_of(project: Project) -> ProjectReview:
    """For whoever sits here: they may look; deciding asks again."""
    return ProjectReview(shared.settings(), project, identity.allowed(Action.SEE_RATINGS))
