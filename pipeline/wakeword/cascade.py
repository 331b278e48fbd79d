"""A small detector that runs all the time, and a larger model that verifies what it detects.

The verifier is any function from a clip to a verdict: a model in this process, one behind `POST /verify`, where
`pronlab wakeword judge` serves it, or the listener for a word's phones (`phone_judge`).
"""

import io
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pipeline import artifacts
from pipeline.errors import ModelError, said_by
from pipeline.i18n import N_
from pipeline.records import Seconds
from pipeline.wakeword.config import DetectorConfig
from pipeline.wakeword.features import RATE_HZ, FeatureConfig
from pipeline.wakeword.runtime.clip_votes import highest_vote
from pipeline.wakeword.runtime.detector import Classifier, StreamingDetector, WindowResult
from pipeline.wakeword.runtime.runner import JUDGED_S

Samples = NDArray[np.float32]
PIECE = round(0.1 * RATE_HZ)
TIMEOUT_S: Seconds = 5.0


@dataclass(frozen=True)
class Verdict:
    """`confidence` (0-1) is of `prediction`; `label` is the word's name, or "other"."""

    prediction: bool
    confidence: float
    label: str


class Verify(Protocol):
    """Whether the word is in a sound of which a detector gives the log odds `log_odds`."""

    def __call__(self, samples: Samples, log_odds: float = 0.0) -> Verdict: ...


@dataclass(frozen=True)
class CascadeResult:
    """The detector's result for one window and, where it detected the word, the verdict and how long that took."""

    window: WindowResult
    verdict: Verdict | None = None
    verdict_ms: float = 0.0


class Cascade:
    """Feeds a detector; what it detects goes to `verify`, where there is one, with the last two seconds of sound. What
    is rejected there is asked again while the detector's score stays high, and after a word when nothing of it is in
    those two seconds. `temperature` makes log odds of its logits."""

    def __init__(self, detector: StreamingDetector, verify: Verify | None = None, temperature: float = 1.0) -> None:
        self._detector, self._verify, self._temperature = detector, verify, temperature
        self._last: deque[Samples] = deque()
        self._held = 0

    def feed(self, samples: Samples) -> list[CascadeResult]:
        """Sound at 16 kHz in pieces of any length; pieces of .1 s or less keep the verified clip precise."""
        self._last.append(samples)
        self._held += len(samples)
        while self._held - len(self._last[0]) >= JUDGED_S * RATE_HZ:
            self._held -= len(self._last.popleft())
        return [self._result(window) for window in self._detector.feed(samples)]

    def run(self, samples: Samples) -> Iterator[CascadeResult]:
        """A whole recording, in pieces."""
        for start in range(0, len(samples), PIECE):
            yield from self.feed(samples[start : start + PIECE])

    def _result(self, window: WindowResult) -> CascadeResult:
        if not window.detected or self._verify is None:
            return CascadeResult(window)
        begun = time.perf_counter()
        before = np.concatenate(self._last)[-round(JUDGED_S * RATE_HZ) :]
        verdict = self._verify(before, window.vote / self._temperature)
        self._detector.accept() if verdict.prediction else self._detector.reject()
        return CascadeResult(window, verdict, (time.perf_counter() - begun) * 1000.0)


def local_verifier(
    classifier: Classifier,
    features: FeatureConfig,
    detector: DetectorConfig,
    threshold: float,
    temperature: float,
    name: str,
) -> Verify:
    """A model as a verifier: the word is there if its highest voted logit reaches the threshold."""

    def verify(samples: Samples, log_odds: float = 0.0) -> Verdict:
        logit = highest_vote(samples, classifier, features, detector)
        probability = float(expit(logit / temperature))
        accepted = logit >= threshold
        return Verdict(accepted, probability if accepted else 1.0 - probability, name if accepted else "other")

    return verify


def phone_verifier(score: Callable[[Samples], float], limit: float, name: str) -> Verify:
    """A judge of phones (`PhoneJudge`) as a verifier: its score (nats per phone) and the detector's log odds together
    reach `limit`."""

    def verify(samples: Samples, log_odds: float = 0.0) -> Verdict:
        probability = float(expit(score(samples) + log_odds - limit))
        accepted = probability >= 0.5
        return Verdict(accepted, probability if accepted else 1.0 - probability, name if accepted else "other")

    return verify


def remote_verifier(url: str, timeout_s: Seconds = TIMEOUT_S, key: str | None = None) -> Verify:
    """The verifier behind `POST <url>/verify`; `key` is an API key with the scope score, if it needs one. Raises
    ModelError for an address or key that cannot be one; its function where the verifier cannot be reached, refuses or
    gives no verdict."""
    import httpx2
    import soundfile

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        client = httpx2.Client(base_url=url, timeout=timeout_s, headers=headers)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise ModelError(
            N_("The judge at {url} cannot be asked ({reason}). Check its address and key."),
            url=url,
            reason=said_by(error),
        ) from error

    def verify(samples: Samples, log_odds: float = 0.0) -> Verdict:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, RATE_HZ, format="WAV", subtype="PCM_16")
        try:
            answer = client.post("/verify", files={"audio": ("clip.wav", buffer.getvalue(), "audio/wav")})
        except httpx2.HTTPError as error:
            raise ModelError(
                N_("The judge at {url} does not answer ({reason}). Is `pronlab wakeword judge` up?"),
                url=url,
                reason=said_by(error),
            ) from error
        try:
            body = artifacts.loads(answer.content)
            if answer.status_code != httpx2.codes.OK:
                raise ModelError(
                    N_("The judge at {url} refuses: {detail}"),
                    url=url,
                    detail=str(body.get("detail", answer.status_code)),
                )
            prediction, confidence, label = body["prediction"], body["confidence"], body["label"]
            if not (isinstance(prediction, bool) and isinstance(label, str) and 0.0 <= confidence <= 1.0):
                raise ValueError(body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                N_("What answers at {url} is no judge (HTTP {status}). Check --judge."),
                url=url,
                status=str(answer.status_code),
            ) from error
        return Verdict(prediction, float(confidence), label)

    return verify
