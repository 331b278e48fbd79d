"""A client of the service in one file that needs only `requests`: copy it wherever it is of use.

client = Client("http://127.0.0.1:8600", key="pronlab_...")
answer = client.analyze("araba.wav", word="araba")
print(answer["overall"], answer["band"])
client.feedback(answer["prediction"], score=80)
for line in client.analyze_batch([("a.wav", "araba"), ("e.wav", "ev")]):
    print(line)
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests

Clip = str | Path | bytes


class ServiceError(Exception):
    """What the service answered instead: its status, and what to do."""

    def __init__(self, status: int, detail: str, request_id: str = "") -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail, self.request_id = status, detail, request_id


class Client:
    """`retries` times it comes back when the service is too busy, or replaces a process (429, or 503 with Retry-After),
    after as long as the service says."""

    def __init__(self, url: str, key: str | None = None, timeout_s: float = 60.0, retries: int = 3) -> None:
        self._url, self._timeout_s, self._retries = url.rstrip("/"), timeout_s, retries
        self._session = requests.Session()
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"

    def analyze(self, clip: Clip, *, word: str = "", text: str = "", **options: str) -> dict[str, Any]:
        """Score one recording of a word or a sentence; options are language, scorer, participant."""
        fields = {"word": word, "text": text, **options}
        given = {name: value for name, value in fields.items() if value}
        return dict(self._ask("POST", "/analyze", files=[("file", _part(clip))], data=given).json())

    def analyze_prompt(self, prompt: str, participant: str = "") -> dict[str, Any]:
        """Score a written prompt: overall, clarity, specificity, and what to improve."""
        body = {"prompt": prompt, "participant": participant}
        return dict(self._ask("POST", "/analyze", json=body).json())

    def analyze_batch(self, clips: Sequence[tuple[Clip, str]], **options: str) -> Iterator[dict[str, Any]]:
        """Recordings with their words; an answer each, in order, as it comes. One that failed has a `status`."""
        files = [("files", _part(clip)) for clip, _ in clips]
        data = {"words": [word for _, word in clips], **options}
        for line in self._ask("POST", "/analyze/batch", files=files, data=data, stream=True).iter_lines():
            yield json.loads(line)

    def verify(self, clip: Clip) -> dict[str, Any]:
        """Whether the wake word is in a clip."""
        return dict(self._ask("POST", "/verify", files=[("audio", _part(clip))]).json())

    def feedback(
        self, prediction: str, *, score: float | None = None, agrees: bool | None = None, comment: str = ""
    ) -> None:
        """What somebody says about an earlier answer."""
        body = {"prediction": prediction, "score": score, "agrees": agrees, "comment": comment}
        self._ask("POST", "/feedback", json=body)

    def models(self) -> list[dict[str, Any]]:
        return list(self._ask("GET", "/models").json())

    def health(self) -> dict[str, Any]:
        return dict(self._ask("GET", "/health").json())

    def _ask(self, method: str, path: str, **given: Any) -> requests.Response:
        for left in range(self._retries, -1, -1):
            answer = self._session.request(method, self._url + path, timeout=self._timeout_s, **given)
            if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers or not left:
                break
            time.sleep(float(answer.headers["Retry-After"]))
        if not answer.ok:
            problem = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
            raise ServiceError(answer.status_code, problem.get("detail", answer.reason), problem.get("request_id", ""))
        return answer


def _part(clip: Clip) -> tuple[str, bytes]:
    return ("clip", clip) if isinstance(clip, bytes) else (Path(clip).name, Path(clip).read_bytes())
