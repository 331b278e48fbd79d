"""The endpoints: `POST /analyze`, `/analyze/batch`, `/verify`, `/feedback`; `GET /models`, `/health`, `/ready`,
`/metrics`."""

import asyncio
import json
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, Field, StringConstraints, ValidationError
from starlette import routing

from pipeline import __version__, jsonl
from pipeline.api import problems
from pipeline.api.guard import Guard, needs
from pipeline.api.keys import KeyRing, Scope
from pipeline.api.limits import LOG, Bounded, Limits, Places
from pipeline.api.measures import DESCRIPTION, Measures
from pipeline.api.problems import Problem, without_folders
from pipeline.api.work import Task, Workers
from pipeline.deployment.answering import Answer, log_answer
from pipeline.deployment.model_registry import PROMPTS
from pipeline.deployment.prediction_log import FeedbackError, LogError, PredictionLog
from pipeline.deployment.routing import shadow, shadow_at
from pipeline.errors import PronlabError
from pipeline.records import RubricName, Seconds, Target, to_json
from pipeline.scoring.selection import default_scorer, scorer_names
from pipeline.settings import Settings
from pipeline.tabular.prompts.analysis import analyse
from pipeline.tabular.prompts.store import LONGEST
from pipeline.text.languages import UNDETERMINED, language_code

LONGEST_TEXT = 1000
LONGEST_NAME = 80
# Parameters of endpoints: the name of the caller's key, which has the scope.
Scoring = Annotated[str, Depends(needs(Scope.SCORE))]
Commenting = Annotated[str, Depends(needs(Scope.FEEDBACK))]
Measuring = Annotated[str, Depends(needs(Scope.METRICS))]
LOG_THREADS = 32
LOG_PATIENCE_S: Seconds = 2.0  # with another program that holds the log of predictions
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
    """Feedback on a prediction."""

    prediction: str = Field(max_length=64, examples=["5f0c2f9f4b0e4b7d9a1f6f0f2f3a4b5c"])
    score: float | None = Field(None, ge=0, le=100, description="The person's own score, 0-100.", examples=[80])
    agrees: bool | None = Field(None, description="Whether they agree with the score.")
    comment: str = Field("", max_length=2000)
    kind: Literal["learner", "expert"] = "learner"


class Analysis(BaseModel):
    """A score with the prediction's id; `result` is the whole ScoreResult."""

    prediction: str
    overall: float | None = Field(description="0-100; null where the recording could not be scored.", examples=[84.2])
    band: str | None = Field(examples=["good"])
    scoring_method: str = Field(examples=["ml_model"])
    state: str = Field(examples=["scored"])
    confidence: float | None
    warnings: list[str]
    result: dict[str, Any]


class Prompt(BaseModel):
    """A written prompt to score."""

    prompt: str = Field(min_length=1, max_length=LONGEST, examples=["Explain fractions to beginners in 90 words."])
    participant: str = Field("", max_length=LONGEST_NAME)


class Improvement(BaseModel):
    """What to do, and by how many points at most it raises the aspect."""

    aspect: Literal["clarity", "specificity"]
    text: str
    points: float


class PromptAnalysis(BaseModel):
    """The score of a written prompt; clarity, specificity and what to improve are counted by rules."""

    prediction: str
    overall: float = Field(description="0-100, by the deployed model, else by rules.", examples=[71.5])
    band: str = Field(examples=["fair"])
    clarity: float = Field(description="0-100, by rules.")
    specificity: float = Field(description="0-100, by rules.")
    improvements: list[Improvement] = Field(description="What to improve, the most useful first.")
    present: list[str]
    missing: list[str]
    rule: float = Field(description="What the rules alone give, 0-100.")
    scoring_method: str = Field(examples=["ml_model"])
    model_id: str
    confidence: float | None
    warnings: list[str]


class Opinion(BaseModel):
    """Whether the wake word is in the clip (0 or 1 for a clip sent as `file`), the confidence (0-1), and its label: the
    name of the word, or `other`."""

    prediction: bool | Literal[0, 1]
    confidence: float = Field(examples=[0.98])
    label: str = Field(examples=["computer"])


class Model(BaseModel):
    scorer: str
    rubric: str
    default: bool


class Health(BaseModel):
    """`status` is ok if all scoring processes are ready, else recovering while they start."""

    status: Literal["ok", "recovering"]
    version: str
    uptime_s: float
    at_work: int
    workers: int = Field(description="Number of scoring processes.")
    workers_loaded: int = Field(description="Number of scoring processes that are ready.")
    predictions_lost: int = Field(description="Predictions that could not be logged, e.g. on a full disk.")


class Ready(BaseModel):
    workers_loaded: int = Field(description="Number of scoring processes that are ready.")


def make_app(
    settings: Settings,
    limits: Limits | None = None,
    detector: Path | None = None,
    *,
    hosts: Collection[str] | None = None,
    openapi: bool = True,
) -> FastAPI:
    """Build the service.

    Args:
        detector: a wake-word model folder for `/verify`.
        hosts: the names it answers to in the header Host; None for any.
        openapi: whether `/openapi.json` is served, which asks for no key.

    With API keys (`pronlab serve-key add`) every endpoint but `/health` and `/ready` asks for one; without any, nobody
    is asked. Raises AccessError for a damaged list of keys.
    """
    limits = limits or Limits()
    log, places = PredictionLog(settings, patience_s=LOG_PATIENCE_S), Places(limits)
    workers = Workers(settings, limits)
    measures = Measures(
        at_work=lambda: places.taken, loaded=lambda: workers.loaded, refused=lambda: places.refused,
        lost=lambda: log.lost, replaced=lambda: workers.replaced,
    )  # fmt: skip
    began = time.monotonic()
    unheard: set[asyncio.Task[None]] = set()
    paths: set[str] = set()
    log_threads = ThreadPoolExecutor(LOG_THREADS, thread_name_prefix="prediction-log")

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        workers.warm(str(detector) if detector else None)
        yield
        workers.close()
        log_threads.shutdown(wait=True)

    app = FastAPI(
        title="Pronlab", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json" if openapi else None, redirect_slashes=False,
        description="Pronunciation scores. Errors are problem details (RFC 9457).",
    )  # fmt: skip
    problems.install(app)
    app.add_middleware(Guard, ring=KeyRing(settings), hosts=hosts)
    app.add_middleware(Bounded, limits=limits, seen=measures.request, paths=paths)

    async def logged(answer: Answer, **given: Any) -> str:
        """Its id. In a thread: another writer may hold the log, and all requests share this loop."""
        add = partial(log_answer, log, answer, **given)
        return await asyncio.get_running_loop().run_in_executor(log_threads, add)

    async def answered(task: Task, caller: str) -> tuple[Answer, str]:
        """What the workers say, and the id under which it is logged."""
        with places.one():
            answer: Answer = await workers.run(task)
        measures.scored(answer.result.scorer, answer.result.milliseconds / 1000.0)
        return answer, await logged(answer, participant=task.learner, client=caller)

    def ask_shadow(task: Task, prediction: str) -> None:
        """Nobody waits for the shadow, and it keeps nobody waiting."""
        if places.taken < limits.workers:
            second = asyncio.create_task(shadowed(replace(task, in_shadow=True), prediction))
            unheard.add(second)
            second.add_done_callback(unheard.discard)

    async def analysed(task: Task, target: Target, participant: str, caller: str) -> tuple[Analysis, Seconds]:
        """The answer to a task that may name a scorer, and how long the clip is."""
        task = replace(task, learner=participant)
        answer, prediction = await answered(task, caller)
        if shadow(settings, target) is not None:
            ask_shadow(task, prediction)
        result = answer.result
        analysis = Analysis(
            prediction=prediction, overall=result.overall, band=result.band, scoring_method=result.scoring_method,
            state=str(result.state), confidence=result.confidence, warnings=list(result.warnings),
            result=to_json(result),
        )  # fmt: skip
        return analysis, answer.duration_s

    async def shadowed(task: Task, shown: str) -> None:
        try:
            answer: Answer | None = await workers.run(task)
        except (Problem, RuntimeError) as error:
            LOG.warning(json.dumps({"shadow_of": shown, "problem": str(error)}))
            return
        if answer is not None:
            await logged(answer, participant=task.learner, shadow_of=shown)

    async def prompt_analysed(given: Prompt, caller: str) -> PromptAnalysis:
        text, participant = printable("prompt", given.prompt), printable("participant", given.participant)
        if not text:
            raise Problem(422, "The prompt is empty. Send its text in the field prompt.")
        task = Task(prompt=text, learner=participant)
        answer, prediction = await answered(task, caller)
        if shadow_at(settings, PROMPTS) is not None:
            ask_shadow(task, prediction)
        result = answer.result
        return PromptAnalysis(
            prediction=prediction, overall=result.overall or 0.0, band=result.band or "",
            scoring_method=result.scoring_method, model_id=result.model_id, confidence=result.confidence,
            warnings=[without_folders(warning) for warning in result.warnings], **to_json(analyse(text)),
        )  # fmt: skip

    @app.post(
        "/analyze",
        response_model=Analysis | PromptAnalysis,
        responses=FAILURES,
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": Prompt.model_json_schema()}}}},
    )
    async def analyze(
        caller: Scoring,
        request: Request,
        file: UploadFile | None = None,
        prompt: Annotated[str | None, Form(max_length=LONGEST)] = None,
        word: Annotated[str | None, Form(max_length=LONGEST_TEXT, examples=["araba"])] = None,
        text: Annotated[str | None, Form(max_length=LONGEST_TEXT)] = None,
        language: Annotated[str | None, Form(max_length=10)] = None,
        scorer: Annotated[str | None, Form(max_length=40)] = None,
        participant: Annotated[str, Form(max_length=LONGEST_NAME)] = "",
    ) -> Analysis | PromptAnalysis:
        """Score one recording (`file`) of a `word` or a `text`, or a written `prompt`, also sent as JSON."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            body = await request.body()
            return await prompt_analysed(_prompt_of(lambda: Prompt.model_validate_json(body)), caller)
        if prompt is not None:
            if file is not None or word or text:
                raise Problem(422, "Send either a prompt, or a file with its word or text.")
            given = _prompt_of(lambda: Prompt(prompt=prompt, participant=participant))
            return await prompt_analysed(given, caller)
        if file is None:
            raise Problem(422, "Send the recording as file, with its word or text; or a written prompt.")
        target, participant = target_of(word, text, language), printable("participant", participant)
        analysis, _ = await analysed(Task(await file.read(), target, scorer or None), target, participant, caller)
        return analysis

    @app.post(
        "/analyze/batch",
        responses={**FAILURES, 200: {"description": "One JSON line per file, in order.", "content": {JSON_LINES: {}}}},
    )  # fmt: skip
    async def batch(
        caller: Scoring,
        files: list[UploadFile],
        words: Annotated[
            list[Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]],
            Form(description="One word per file, in order."),
        ],
        language: Annotated[str | None, Form(max_length=10)] = None,
        scorer: Annotated[str | None, Form(max_length=40)] = None,
    ) -> StreamingResponse:
        """Score several recordings of words. Each result is one line; errors are problem details."""
        if len(files) != len(words) or not files or len(files) > limits.batch:
            raise Problem(
                422,
                f"Send 1 to {limits.batch} files and one word per file; got {len(files)} files and {len(words)} words.",
            )
        targets = [target_of(word, None, language) for word in words]
        contents = [await file.read() for file in files]
        places.check()

        async def lines() -> AsyncIterator[bytes]:
            left_s, end = limits.batch_max_s, time.monotonic() + limits.batch_timeout_s
            for content, target in zip(contents, targets, strict=True):
                try:
                    if left_s <= 0.0:
                        raise Problem(
                            413, f"A batch can have at most {limits.batch_max_s:g} s of audio. Send several batches."
                        )
                    if time.monotonic() > end:
                        raise Problem(
                            504, f"A batch can take at most {limits.batch_timeout_s:g} s. Send this file again."
                        )
                    task = Task(content, target, scorer or None, max_s=left_s)
                    analysis, duration_s = await analysed(task, target, "", caller)
                    left_s -= duration_s
                    line = analysis.model_dump()
                except (Problem, PronlabError) as error:
                    refused = problems.of_error(error)
                    line = problems.body(refused.status, refused.detail)
                except Exception:  # noqa: BLE001 - the other lines still come
                    LOG.exception(json.dumps({"batch": "defect"}))
                    line = problems.body(500, "The service failed; its log has the details.")
                yield jsonl.dumps(line)

        return StreamingResponse(lines(), media_type=JSON_LINES)

    @app.post("/verify", response_model=Opinion, responses=FAILURES)
    async def verify(_caller: Scoring, audio: UploadFile | None = None, file: UploadFile | None = None) -> Any:
        """Check whether the wake word is in a clip, as the second opinion of a cascade. Send the clip as `audio`, or as
        `file`, which answers with a prediction of 0 or 1."""
        if detector is None:
            raise Problem(404, "This service has no detector. Start it with `pronlab serve --detector RUN`.")
        clip = audio or file
        if clip is None or (audio and file):
            raise Problem(422, "Send one clip as multipart form data, in the field audio or file.")
        with places.one():
            opinion = to_json(await workers.run(Task(await clip.read(), detector=str(detector))))
        return opinion if audio else {**opinion, "prediction": int(opinion["prediction"])}

    @app.post("/feedback", status_code=204, responses=FAILURES)
    def feedback(_caller: Commenting, comment: Feedback) -> Response:
        """Save feedback of a learner or an expert on an earlier score."""
        try:
            log.feedback(
                comment.prediction,
                score=comment.score,
                agrees=comment.agrees,
                comment=comment.comment,
                kind=comment.kind,
            )
        except FeedbackError as error:
            raise Problem(422, str(error)) from None
        except LogError as error:
            raise Problem(503, str(error)) from None
        return Response(status_code=204)

    @app.get("/models", response_model=list[Model], responses=FAILURES)
    def models(_caller: Scoring) -> list[Model]:
        """List the scorers; the default answers requests that name none."""
        default = {rubric: default_scorer(settings, rubric) for rubric in RubricName}
        return [
            Model(scorer=name, rubric=str(rubric), default=name == default[rubric])
            for rubric in RubricName
            for name in scorer_names(settings, rubric)
        ]

    @app.get("/health", response_model=Health, responses=FAILURES)
    async def health() -> Health:
        """Check whether the service is alive. Restart it if it does not answer."""
        return Health(
            status="ok" if workers.loaded == limits.workers else "recovering", version=__version__,
            uptime_s=round(time.monotonic() - began, 1), at_work=places.taken, workers=limits.workers,
            workers_loaded=workers.loaded, predictions_lost=log.lost,
        )  # fmt: skip

    @app.get("/ready", response_model=Ready, responses=FAILURES)
    async def ready() -> Ready:
        """Check whether the service can score now: 503 until a scoring process is ready."""
        if not workers.loaded:
            detail = without_folders(workers.problem) or "The scoring processes are starting."
            raise Problem(503, detail, Retry_After="1")
        return Ready(workers_loaded=workers.loaded)

    @app.get("/metrics", response_class=PlainTextResponse, description=DESCRIPTION, responses=FAILURES)
    async def metrics(_caller: Measuring) -> Response:
        return Response(measures.text(), media_type=Measures.MEDIA_TYPE)

    paths.update(str(route.path) for route in app.routes if isinstance(route, routing.Route))
    _describe_problems(app)
    return app


def _prompt_of(read: Callable[[], Prompt]) -> Prompt:
    """What `read` gives. Raises RequestValidationError for what is no prompt."""
    try:
        return read()
    except ValidationError as error:
        raise RequestValidationError([{**wrong, "loc": ("body", *wrong["loc"])} for wrong in error.errors()]) from None


def printable(name: str, value: str) -> str:
    """The value of a field without surrounding spaces. Raises Problem for control characters."""
    for character in value:
        if unicodedata.category(character) == "Cc" and not character.isspace():
            raise Problem(
                422, f"{name} contains the control character U+{ord(character):04X}. Send plain text in UTF-8."
            )
    return value.strip()


def target_of(word: str | None, text: str | None, language: str | None) -> Target:
    """Raises Problem where neither or both are given, UnknownNameError for a language that is none."""
    word, text = printable("word", word or ""), printable("text", text or "")
    language = printable("language", language or "")
    if bool(word) == bool(text):
        raise Problem(422, "Give the text that was to be said: word for a single word, or text for a sentence.")
    rubric = RubricName.WORD if word else RubricName.SENTENCE
    return Target(word or text, language_code(language) if language else UNDETERMINED, rubric)


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
