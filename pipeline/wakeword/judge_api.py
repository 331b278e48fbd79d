"""The judge over HTTP: `POST /verify` with a clip (multipart, field `audio`), errors as problem details (RFC 9457)."""

from pathlib import Path
from typing import Any

from pipeline.audio.load import load_audio
from pipeline.errors import AudioError
from pipeline.records import to_json
from pipeline.wakeword.cascade import local_judge
from pipeline.wakeword.judging import judge_of
from pipeline.wakeword.model_files import load_model

MAX_BYTES = 2_000_000
MAX_S = 10.0
PROBLEM = "application/problem+json"


def make_app(folder: Path) -> Any:
    """A FastAPI application around the detector in `folder`. Raises ModelError where there is none."""
    from fastapi import FastAPI, Request, UploadFile
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    model, info = load_model(folder)
    verify = local_judge(
        judge_of(model), info.features, info.detector, info.threshold, info.temperature, info.name or "keyword"
    )
    app = FastAPI(title="pronlab wake-word judge", docs_url=None, redoc_url=None)

    def problem(status: int, title: str, detail: str) -> JSONResponse:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        return JSONResponse(body, status_code=status, media_type=PROBLEM)

    @app.middleware("http")
    async def bounded(request: Request, call_next: Any) -> Any:
        """Refuse by the declared length before anything is read; without one, nothing is read at all."""
        if request.method == "POST":
            declared = request.headers.get("content-length", "")
            if not declared.isdigit():
                return problem(411, "Length required", "Send the clip with a Content-Length.")
            if int(declared) > MAX_BYTES:
                return problem(
                    413,
                    "Content too large",
                    f"At most {MAX_BYTES // 1000} kB are accepted, got {int(declared) // 1000}.",
                )
        return await call_next(request)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, _error: RequestValidationError) -> JSONResponse:
        return problem(422, "No clip", "Send the clip as multipart form data in the field 'audio'.")

    @app.exception_handler(HTTPException)
    async def _refused(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), str(error.detail))

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "model": info.name, "parameters": info.parameters}

    @app.post("/verify")
    def verify_clip(audio: UploadFile) -> Any:
        try:
            sound = load_audio(audio.file.read(MAX_BYTES + 1), max_duration_s=MAX_S)
        except AudioError as error:
            return problem(422, "Unusable audio", str(error))
        return to_json(verify(sound.samples))

    return app
