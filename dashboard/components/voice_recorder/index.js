// One button that records and stops; out goes one trigger `recording`, in comes `data`.

const LOUD = 0.985; // of full scale
const DEAF_MS = 5000; // a microphone that gives nothing for so long gives nothing
const AROUND_S = 0.25; // heard beside the speech when it is played back

class VoiceRecorder {
  constructor(root) {
    this.root = root;
    this.state = "idle"; // idle, opening, recording, sending
    this.turn = 0; // counts what was abandoned: whatever is still under way then comes too late
    this.dot = document.createElement("span");
    this.dot.className = "dot";
    this.dot.setAttribute("aria-hidden", "true");
    this.label = document.createElement("span");
    this.button = document.createElement("button");
    this.button.type = "button";
    this.button.append(this.dot, this.label);
    this.button.addEventListener("click", () => this.pressed());
    this.words = document.createElement("span");
    this.words.setAttribute("role", "status");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.audio = document.createElement("audio");
    this.audio.controls = true;
    this.picture = new LivePicture(this.canvas);
    const row = document.createElement("div");
    row.className = "row";
    row.append(this.button, this.words);
    root.replaceChildren(row, this.canvas, this.audio);
  }

  update(data, send) {
    const fresh = !this.data || this.data.view !== data.view;
    const again = this.data && data.starts > this.data.starts;
    this.data = data;
    this.send = send;
    this.audio.setAttribute("aria-label", data.strings.hear);
    if (fresh) {
      this.abandon();
      this.forget();
      this.say(this.hindrance() ?? data.strings.idle);
    } else if (this.state === "sending" && data.answer.nonce === this.nonce) {
      this.state = "idle";
      if (data.answer.ok) this.say(data.strings.done, { seconds: this.seconds(this.recordedS) });
      else this.say(data.strings.lost);
    }
    this.show();
    if (again) {
      this.button.focus({ preventScroll: true });
      this.start();
    }
  }

  show() {
    const { strings } = this.data;
    this.root.dataset.state = this.state;
    this.label.textContent = this.state === "recording" ? strings.stop : this.audio.src ? strings.again : strings.record;
    this.button.setAttribute("aria-disabled", String(this.state === "opening" || this.state === "sending"));
    this.canvas.hidden = this.state !== "recording";
    this.audio.hidden = this.state === "recording" || !this.audio.src;
  }

  say(text, values = {}) {
    const words = text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
    if (this.words.textContent !== words) this.words.textContent = words;
  }

  seconds(value) {
    return value.toLocaleString(this.data.strings.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }

  pressed() {
    if (this.state === "recording") this.stop();
    else if (this.state === "idle") this.start();
  }

  async start() {
    const { turn } = this;
    const { strings } = this.data;
    if (this.hindrance()) return;
    this.audio.pause();
    this.state = "opening";
    this.say(strings.allow);
    this.show();
    let capture;
    try {
      capture = await openMicrophone((samples) => this.hear(samples));
    } catch (error) {
      if (turn !== this.turn) return;
      this.state = "idle";
      this.say(this.reason(error), { reason: error.message });
      this.show();
      return;
    }
    if (turn !== this.turn) return capture.close();
    this.capture = capture;
    const { pause_s: pauseS, longest_s: longestS, waits_s: waitsS } = this.data;
    this.endpoint = new Endpoint(capture.rateHz, { pauseS, longestS, waitsS });
    this.loud = false;
    this.state = "recording";
    this.say(strings.speak);
    this.show();
    this.picture.clear();
    setTimeout(() => this.giveUp(capture), DEAF_MS);
  }

  giveUp(capture) {
    if (this.capture !== capture || this.state !== "recording" || this.endpoint.nowS > 0) return;
    this.abandon();
    this.say(this.data.strings.empty);
    this.show();
  }

  // Why no microphone can be had here at all; undefined where one can.
  hindrance() {
    if (navigator.mediaDevices?.getUserMedia && window.AudioContext) return undefined;
    return window.isSecureContext ? this.data.strings.unsupported : this.data.strings.insecure;
  }

  reason(error) {
    const { strings } = this.data;
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return strings.refused;
    return error.name === "NotFoundError" ? strings.missing : strings.failed;
  }

  hear(samples) {
    if (this.state !== "recording") return;
    const { endpoint, capture, data } = this;
    endpoint.feed(samples);
    this.picture.feed(samples, capture.rateHz);
    this.loud ||= samples.some((value) => Math.abs(value) > LOUD);
    this.say(this.loud ? data.strings.loud : endpoint.heard ? data.strings.listening : data.strings.speak);
    if (endpoint.done) this.stop();
  }

  async stop() {
    const { capture, endpoint, data, turn } = this;
    const { strings, view } = data;
    const silent = endpoint.done && !endpoint.heard;
    this.state = "sending";
    this.say(strings.sending);
    this.show();
    const stoppedAt = performance.now();
    let samples;
    try {
      samples = await capture.finish();
    } catch {
      samples = new Float32Array(0);
    }
    capture.close();
    this.capture = null;
    if (turn !== this.turn) return;
    if (silent || !samples.length) {
      this.state = "idle";
      this.say(silent ? strings.silent : strings.empty, { seconds: data.waits_s });
      this.show();
      return;
    }
    const most = Math.round(data.longest_s * capture.rateHz);
    const kept = samples.subarray(0, most);
    this.recordedS = kept.length / capture.rateHz;
    this.nonce = `${Date.now()}-${Math.random()}`;
    performance.mark("pronlab-recorded", { startTime: stoppedAt });
    this.send({ view, nonce: this.nonce, wav: base64Of(wavOf(kept, capture.rateHz)) });
    this.keep(kept, capture.rateHz);
    this.show();
  }

  // To be heard back: the speech without the silence around it.
  keep(samples, rateHz) {
    this.forget();
    const { begunS, lastVoiceS, heard } = this.endpoint;
    const from = heard ? Math.max(0, Math.round((begunS - AROUND_S) * rateHz)) : 0;
    const to = heard ? Math.round((lastVoiceS + AROUND_S) * rateHz) : samples.length;
    this.audio.src = URL.createObjectURL(new Blob([wavOf(samples.slice(from, to), rateHz)], { type: "audio/wav" }));
  }

  forget() {
    if (!this.audio.src) return;
    this.audio.pause();
    URL.revokeObjectURL(this.audio.src);
    this.audio.removeAttribute("src");
  }

  abandon() {
    this.turn += 1;
    this.capture?.close();
    this.capture = null;
    this.state = "idle";
  }
}

const recorders = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".voice-recorder");
  if (!recorders.has(root)) recorders.set(root, new VoiceRecorder(root));
  recorders.get(root).update(data, (recording) => setTriggerValue("recording", recording));
  return () => {
    recorders.get(root)?.abandon();
    recorders.get(root)?.forget();
    recorders.delete(root);
  };
}
