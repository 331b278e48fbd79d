"""The service: `POST /analyze`, `/analyze/batch`, `/verify`, `/feedback`, `GET /models`, `/health`, `/metrics`."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Form, Request, UploadFile
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from pipeline import __version__, jsonl
from pipeline.api import problems
from pipeline.api.keys import list_keys, who
from pipeline.api.limits import LOG, Bounded, Limits, Places
from pipeline.api.measures import Measures
from pipeline.api.problems import Problem
from pipeline.api.work import Answer, Task, Workers
from pipeline.monitoring.predictions import FeedbackError, LogError, PredictionLog
from pipeline.monitoring.routing import Route, route, shadow
from pipeline.records import RubricName, Target, to_json
from pipeline.settings import Settings

LONGEST_TEXT = 1000
LONGEST_NAME = 80
JSON_LINES = "application/x-ndjson"
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": title,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, title in problems.TITLES.items()
    if status not in (500,)
}


class Feedback(BaseModel):
    """What somebody says about a prediction."""

    prediction: str = Field(max_length=64, examples=["5f0c2f9f4b0e4b7d9a1f6f0f2f3a4b5c"])
    score: float | None = Field(None, ge=0, le=100, description="A score of their own, 0-100.", examples=[80])
    agrees: bool | None = Field(None, description="Whether they agree with the score.")
    comment: str = Field("", max_length=2000)
    kind: Literal["learner", "expert"] = "learner"


class Analysis(BaseModel):
    """A ScoreResult with the prediction's id; `result` has all that the scorer said."""

    prediction: str
    overall: float | None = Field(description="0-100; null where the recording could not be scored.", examples=[84.2])
    band: str | None = Field(examples=["good"])
    scoring_method: str = Field(examples=["ml_model"])
    state: str = Field(examples=["scored"])
    confidence: float | None
    warnings: list[str]
    result: dict[str, Any]


class Opinion(BaseModel):
    """Of the wake word: whether it is there, how sure that is (0-1), and its name or `other`."""

    prediction: bool
    confidence: float = Field(examples=[0.98])
    label: str = Field(examples=["computer"])


class Model(BaseModel):
    scorer: str
    rubric: str
    default: bool


class Health(BaseModel):
    status: str = Field(examples=["ok"])
    version: str
    uptime_s: float
    at_work: int
    predictions_lost: int = Field(description="That could not be logged, e.g. on a full disk.")


def make_app(settings: Settings, limits: Limits | None = None, detector: Path | None = None) -> FastAPI:
    """`detector` is a wake-word model folder for `/verify`. With API keys (`pronlab serve-key add`) every endpoint but
    `/health` asks for one, without any nobody is asked. Raises AccessError for a damaged list of keys."""
    limits = limits or Limits()
    keys = list_keys(settings)
    log, places, measures = PredictionLog(settings), Places(limits), Measures()
    workers = Workers(settings, limits)
    began = time.monotonic()
    unheard: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        workers.warm(str(detector) if detector else None)
        yield
        workers.close()

    app = FastAPI(
        title="Pronlab", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="Scores of pronunciation. Errors are problem details (RFC 9457).",
    )  # fmt: skip
    problems.install(app)
    app.add_middleware(Bounded, limits=limits, seen=measures.request)

    def client(request: Request) -> str:
        """The name of the caller's key; "" where no key is asked for."""
        if not keys:
            return ""
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        found = who(keys, secret) if secret else None
        if found is None:
            raise Problem(401, "Send an API key: Authorization: Bearer KEY.", WWW_Authenticate="Bearer")
        return found

    Caller = Annotated[str, Depends(client)]  # noqa: N806 - a type

    async def analysed(content: bytes, target: Target, scorer: str | None, participant: str, caller: str) -> Analysis:
        way = Route(scorer, None) if scorer else route(settings, target, participant)
        with places.one():
            try:
                answer: Answer = await workers.run(Task(content, target, way.name, way.folder))
            except Problem as problem:
                if way.folder is None or problem.status != 503:
                    raise
                # Its files went away since the route was taken: the model in use answers, outside the comparison.
                way = Route(None, None)
                answer = await workers.run(Task(content, target))
        result = answer.result
        measures.scored(result.scorer, result.milliseconds / 1000.0)
        # In a thread: another writer may hold the log, and all requests share this loop.
        found = await asyncio.to_thread(
            log.add, result, participant=participant, client=caller, features=answer.features or None, arm=way.arm,
            comparison=way.comparison,
        )  # fmt: skip
        hidden = shadow(settings, target)
        if hidden is not None and places.taken < limits.workers:  # nobody waits for it, and it keeps nobody waiting
            task = asyncio.create_task(shadowed(Task(content, target, None, hidden), found, participant))
            unheard.add(task)
            task.add_done_callback(unheard.discard)
        return Analysis(
            prediction=found, overall=result.overall, band=result.band, scoring_method=result.scoring_method,
            state=str(result.state), confidence=result.confidence, warnings=list(result.warnings),
            result=to_json(result),
        )  # fmt: skip

    async def shadowed(task: Task, shown: str, participant: str) -> None:
        try:
            answer: Answer = await workers.run(task)
        except Problem as problem:
            LOG.warning(json.dumps({"shadow": str(task.folder), "problem": problem.detail}))
            return
        await asyncio.to_thread(log.add, answer.result, participant=participant, shadow_of=shown)

    @app.post("/analyze", response_model=Analysis, responses=FAILURES)
    async def analyze(
        caller: Caller,
        file: UploadFile,
        word: Annotated[str | None, Form(max_length=LONGEST_TEXT, examples=["araba"])] = None,
        text: Annotated[str | None, Form(max_length=LONGEST_TEXT)] = None,
        language: Annotated[str | None, Form(max_length=10)] = None,
        scorer: Annotated[str | None, Form(max_length=40)] = None,
        participant: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
    ) -> Analysis:
        """Score one recording of a `word` or a `text`."""
        target = target_of(word, text, language)
        return await analysed(await file.read(), target, scorer or None, participant, caller)

    @app.post(
        "/analyze/batch",
        responses={**FAILURES, 200: {"description": "A JSON object a line, in order.", "content": {JSON_LINES: {}}}},
    )  # fmt: skip
    async def batch(
        caller: Caller,
        files: list[UploadFile],
        words: Annotated[list[str], Form(description="One for each file, in order.")],
        language: Annotated[str | None, Form(max_length=10)] = None,
        scorer: Annotated[str | None, Form(max_length=40)] = None,
    ) -> StreamingResponse:
        """Score several recordings of single words; a line each as soon as it is there, errors as problem details."""
        if len(files) != len(words) or not files or len(files) > limits.batch:
            raise Problem(
                422,
                f"Send a word for each file, 1 to {limits.batch} of them; got {len(files)} files, {len(words)} words.",
            )
        targets = [target_of(word, None, language) for word in words]
        contents = [await file.read() for file in files]

        async def lines() -> AsyncIterator[bytes]:
            for content, target in zip(contents, targets, strict=True):
                try:
                    found = (await analysed(content, target, scorer or None, "", caller)).model_dump()
                except Problem as problem:
                    found = problems.body(problem.status, problem.detail)
                yield jsonl.dumps(found)

        return StreamingResponse(lines(), media_type=JSON_LINES)

    @app.post("/verify", response_model=Opinion, responses=FAILURES)
    async def verify(caller: Caller, audio: UploadFile) -> Any:
        """Whether the wake word is in a clip: the second opinion of a cascade."""
        if detector is None:
            raise Problem(404, "No detector is served here: start with `pronlab serve --detector RUN`.")
        with places.one():
            return to_json(await workers.run(Task(await audio.read(), detector=str(detector))))

    @app.post("/feedback", status_code=204, responses=FAILURES)
    def feedback(caller: Caller, said: Feedback) -> Response:
        """A learner's or an expert's word on an earlier score."""
        try:
            log.feedback(said.prediction, score=said.score, agrees=said.agrees, comment=said.comment, kind=said.kind)
        except FeedbackError as error:
            raise Problem(422, str(error)) from None
        except LogError as error:
            raise Problem(503, str(error)) from None
        return Response(status_code=204)

    @app.get("/models", response_model=list[Model], responses=FAILURES)
    def models(caller: Caller) -> list[Model]:
        """The scorers that can answer now; the default is what a request without one gets."""
        from pipeline.scoring.in_use import default_scorer, scorer_names

        default = {rubric: default_scorer(settings, rubric) for rubric in RubricName}
        return [
            Model(scorer=name, rubric=str(rubric), default=name == default[rubric])
            for rubric in RubricName
            for name in scorer_names(settings, rubric)
        ]

    @app.get("/health", response_model=Health)
    def health() -> Health:
        return Health(
            status="ok", version=__version__, uptime_s=round(time.monotonic() - began, 1), at_work=places.taken,
            predictions_lost=log.lost,
        )  # fmt: skip

    @app.get("/metrics", responses=FAILURES)
    def metrics(caller: Caller) -> Response:
        """For Prometheus."""
        return Response(measures.text(places, log.lost), media_type=Measures.MEDIA_TYPE)

    _describe_problems(app)
    return app


def target_of(word: str | None, text: str | None, language: str | None) -> Target:
    """Raises Problem where neither or both are given."""
    if bool(word and word.strip()) == bool(text and text.strip()):
        raise Problem(422, "Say what was to be said: word for a single word, or text for a sentence.")
    rubric = RubricName.WORD if word else RubricName.SENTENCE
    return Target((word or text or "").strip(), language or ("tr" if word else "en"), rubric)


def _describe_problems(app: FastAPI) -> None:
    """Every error in the OpenAPI document is of the one shape."""
    made = app.openapi

    def described() -> dict[str, Any]:
        document = made()
        document["components"]["schemas"]["Problem"] = {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"}, "request_id": {"type": "string"},
            },
        }  # fmt: skip
        return document

    app.openapi = described  # type: ignore[method-assign]
