"""Errors over HTTP: problem details (RFC 9457), whatever went wrong and wherever."""

import json
import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import PronlabError, UnknownNameError

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    408: "Request timeout", 413: "Content too large", 422: "Unprocessable content", 429: "Too many requests",
    500: "Internal error", 503: "Service unavailable", 504: "Timeout",
}  # fmt: skip
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"()]+/)*(?=[^\s/'\"()])")


class Problem(Exception):
    """Raised by an endpoint to answer `status` with `detail`, which says what to do."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def of_error(error: Problem | PronlabError) -> Problem:
    """An error of ours over HTTP: what the client asked for wrongly (422), or what the installation lacks (503), of
    which the client learns the names of files and not where they are."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, UnknownNameError):
        return Problem(422, str(error))
    return Problem(503, without_folders(str(error)))


def without_folders(message: str) -> str:
    """`/srv/pronlab/models/word/model.json is damaged` says no more than `model.json is damaged`."""
    return FOLDERS.sub("", message)


def body(status: int, detail: str, request_id: str = "") -> dict[str, Any]:
    problem = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    return {**problem, "request_id": request_id} if request_id else problem


def encoded(status: int, detail: str, request_id: str = "") -> bytes:
    """ASCII, so that no character of a value that is quoted can fail to be encoded."""
    return json.dumps(body(status, detail, request_id)).encode()


def header_fields(problem: Problem) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in problem.headers.items()}


async def send(asgi_send: Any, problem: Problem, request_id: str) -> None:
    """Answer an ASGI request with it."""
    content = encoded(problem.status, problem.detail, request_id)
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(content)), **header_fields(problem)}
    fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await asgi_send({"type": "http.response.start", "status": problem.status, "headers": fields})
    await asgi_send({"type": "http.response.body", "body": content})


def install(app: "FastAPI") -> None:
    """Make a FastAPI application answer every error so; defects are for the middleware around it to log and answer."""
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import Response
    from starlette.exceptions import HTTPException

    def answer(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
        content = encoded(status, detail, getattr(request.state, "request_id", ""))
        return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return answer(request, error.status, error.detail, header_fields(error))

    @app.exception_handler(PronlabError)
    async def _error(request: Request, error: PronlabError) -> Response:
        problem = of_error(error)
        return answer(request, problem.status, problem.detail)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors()]
        return answer(request, 422, "; ".join(wrong))

    @app.exception_handler(HTTPException)
    async def _refused(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, str(error.detail), dict(error.headers or {}))
