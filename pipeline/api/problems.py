"""Errors over HTTP: problem details (RFC 9457), whatever went wrong and wherever."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request", 401: "Who are you?", 404: "Not there", 405: "Not that way", 408: "Too slow",
    413: "Too large", 422: "Cannot be used", 429: "Too busy", 500: "A defect here", 503: "Cannot answer now",
    504: "Took too long",
}  # fmt: skip


class Problem(Exception):
    """Raised by an endpoint to answer `status` with `detail`, which says what to do."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def body(status: int, detail: str, request_id: str = "") -> dict[str, Any]:
    found = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    return {**found, "request_id": request_id} if request_id else found


def encoded(status: int, detail: str, request_id: str = "") -> bytes:
    return json.dumps(body(status, detail, request_id), ensure_ascii=False).encode()


def install(app: "FastAPI") -> None:
    """Make a FastAPI application answer every error so."""
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    def answer(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
        found = body(status, detail, getattr(request.state, "request_id", ""))
        return JSONResponse(found, status_code=status, media_type=MEDIA_TYPE, headers=headers)

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> JSONResponse:
        headers = {name.replace("_", "-"): value for name, value in error.headers.items()}
        return answer(request, error.status, error.detail, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg']}" for e in error.errors()]
        return answer(request, 422, "; ".join(wrong))

    @app.exception_handler(HTTPException)
    async def _refused(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _defect(request: Request, _error: Exception) -> JSONResponse:
        return answer(request, 500, "This is a defect of the service; the log has more under the request id.")
