"""The recorder's own JavaScript: what it sends, when it stops, and what it says where no microphone can be had."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import soundfile

from dashboard.components.voice_recorder import FOLDER as RECORDER
from dashboard.components.voice_recorder import SCRIPTS, Span, wav_bytes
from tests.browser.conftest import expect, say_when_heard

Open = Callable[..., Any]
RATE_HZ = 48_000
# Feeds parts of noise, each of (seconds, level), in pieces as a worklet sends them; when it was done, and whether
# somebody was heard.
ENDPOINT = """([parts, given]) => {
  const endpoint = new Endpoint(48000, given);
  let at = 0;
  for (const [seconds, level] of parts) {
    for (let left = seconds * 48000; left > 0 && !endpoint.done; left -= 128) {
      endpoint.feed(Float32Array.from({ length: 128 }, (_, k) => level * Math.sin(0.37 * (at + k))));
      at += 128;
    }
  }
  return [endpoint.done ? at / 48000 : null, endpoint.heard];
}"""
PITCH = """([samples, rate]) => {
  const hertz = pitchOf(Float32Array.from(samples), rate);
  return Number.isNaN(hertz) ? null : hertz;
}"""
# How many samples a browser without worklets has heard at each look, a timer that is late being no excuse.
LOOKS = """async (seconds) => {
  const kept = [window.AnalyserNode, window.MediaRecorder, window.setInterval];
  const context = { currentTime: 3 }, heard = [];
  let look;
  window.AnalyserNode = class { fftSize = 32768; getFloatTimeDomainData() {} };
  window.MediaRecorder = class { start() {} };
  window.setInterval = (callback) => { look = callback; };
  try {
    throughMediaRecorder({ context, rateHz: 48000 }, { connect() {} }, (samples) => heard.push(samples.length));
    for (const passed of seconds) {
      context.currentTime += passed;
      look();
    }
  } finally {
    [window.AnalyserNode, window.MediaRecorder, window.setInterval] = kept;
  }
  return heard;
}"""
# The level as one speaks with pauses until the word was said, and silence then; each look hears 50 ms more.
LEVEL = """() => {
  let looks = 0;
  Object.defineProperty(BaseAudioContext.prototype, "currentTime", { get: () => 0.05 * looks++ });
  AnalyserNode.prototype.getFloatTimeDomainData = (samples) =>
    samples.fill(window.wordWasSaid ? 0 : [0.3, 0.3, 0.3, 0.003][looks % 4]);
}"""
# What getUserMedia answers, and what is said then.
REFUSALS = {
    "NotAllowedError": "may not use the microphone",
    "NotFoundError": "No microphone was found",
    "NotReadableError": "cannot be used (in use)",
}
WORD = {"pauseS": 0.8, "longestS": 8, "waitsS": 4}


@pytest.fixture(scope="module")
def scripts(browser: Any) -> Iterator[Any]:
    """A page with the recorder's functions and nothing else."""
    page = browser.new_page()
    text = "\n".join((RECORDER / name).read_text(encoding="utf-8") for name in SCRIPTS[:-1])
    page.set_content(f"<script>{text}</script>")
    yield page
    page.close()


@pytest.mark.parametrize(
    ("parts", "done_s", "heard"),
    [
        ([(1, 0.001), (0.8, 0.3), (3, 0.001)], 2.6, True),  # it stops after the pause
        ([(0.3, 0.3), (3, 0.0)], 1.1, True),  # somebody spoke at once
        ([(1, 0.001), (0.6, 0.3), (0.5, 0.001), (0.5, 0.2), (3, 0.001)], 3.4, True),  # a pause within is none
        ([(1, 0.001), (0.05, 0.9), (6, 0.001)], 4.0, False),  # a click is no speech
        ([(4, 0.02), (0.8, 0.3), (3, 0.02)], 5.6, True),  # a loud room
        ([(0.5, 0.3), (0.2, 0.003)] * 13, 8.0, True),  # somebody who never stops
        ([(1, 0.0), (0.8, 0.01), (3, 0.0)], 2.6, True),  # a soft voice, far from the microphone
    ],
)
def test_recording_stops_after_the_pause_that_follows_speech(
    scripts: Any, parts: list[tuple[float, float]], done_s: float, heard: bool
) -> None:
    at_s, was_heard = scripts.evaluate(ENDPOINT, [parts, WORD | {"waitsS": 4 if not heard else 10}])
    assert at_s == pytest.approx(done_s, abs=0.12)
    assert was_heard is heard


def test_the_file_it_sends_holds_the_samples_that_were_recorded(scripts: Any) -> None:
    """So that a score by microphone is the score of that file."""
    samples = np.random.default_rng(3).uniform(-1.05, 1.05, 4_001).astype(np.float32)
    sent = scripts.evaluate(
        "([samples, rate]) => base64Of(wavOf(Float32Array.from(samples), rate))", [samples.tolist(), RATE_HZ]
    )
    wav = wav_bytes(sent, Span(0.8, 8.0).most_bytes)
    assert wav is not None
    recorded, rate_hz = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate_hz == RATE_HZ
    assert recorded.tolist() == np.clip(np.floor(32_768 * samples + 0.5), -32_768, 32_767).astype(int).tolist()


def test_the_melody_is_the_pitch_of_a_voice_and_none_of_noise(scripts: Any) -> None:
    times = np.arange(round(0.045 * RATE_HZ)) / RATE_HZ
    for hertz in (100.0, 220.0, 350.0):
        voice = 0.3 * sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 6))
        assert scripts.evaluate(PITCH, [list(voice), RATE_HZ]) == pytest.approx(hertz, rel=0.05)
    noise = np.random.default_rng(4).normal(0, 0.1, len(times))
    assert scripts.evaluate(PITCH, [list(noise), RATE_HZ]) is None


def test_without_worklets_all_is_heard_however_late_one_looks(scripts: Any) -> None:
    assert scripts.evaluate(LOOKS, [0.05, 0.25, 0.0, 0.5, 2.0]) == [2_400, 12_000, 24_000, 32_768]


def test_it_says_why_there_is_no_microphone_and_records_without_worklets(open_page: Open) -> None:
    page = open_page("practice", text="masa")
    button = page.get_by_role("button", name="Record", exact=True)
    button.wait_for()
    words = page.locator(".voice-recorder [role=status]")
    for name, told in REFUSALS.items():
        refuse = f"() => Promise.reject(new DOMException('in use', '{name}'))"
        page.evaluate(f"() => {{ navigator.mediaDevices.getUserMedia = {refuse}; }}")
        button.focus()
        page.keyboard.press("Enter")
        expect(words).to_contain_text(told)
        expect(button).to_be_focused()
    say_when_heard(page)
    page.evaluate("() => { AudioWorklet.prototype.addModule = () => Promise.reject(new Error('none')); }")
    page.evaluate(LEVEL)
    page.keyboard.press("Enter")
    expect(words).to_contain_text("Recorded")
    page.get_by_text("Your score").wait_for()
    page.get_by_role("button", name="Again", exact=True).click()
    page.get_by_role("button", name="Stop").wait_for()
