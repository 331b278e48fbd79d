// Listens in the browser: the microphone's sound and the detector's answers never leave it.

const RUNTIME = "app/static/onnxruntime-web/";
const SCRIPT = "ort.wasm.bundle.min.mjs";
const BINARY = "ort-wasm-simd-threaded.wasm.gz";
const PIECE = 1600; // samples between two questions to the model
const WORKLET = `registerProcessor("pieces", class extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
});`;

const pages = new WeakMap();
let runtime;

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

async function fetched(name) {
  const answer = await fetch(new URL(RUNTIME + name, document.baseURI));
  if (!answer.ok) throw new Error(`${name}: HTTP ${answer.status}`);
  return answer;
}

// Once a page: the runtime comes from this server, its WebAssembly unpacked here.
async function loadRuntime() {
  const script = URL.createObjectURL(new Blob([await (await fetched(SCRIPT)).text()], { type: "text/javascript" }));
  const ort = await import(script);
  const packed = (await fetched(BINARY)).body.pipeThrough(new DecompressionStream("gzip"));
  ort.env.wasm.wasmBinary = await new Response(packed).arrayBuffer();
  ort.env.wasm.numThreads = 1;
  return ort;
}

class Page {
  constructor(root) {
    this.root = root;
    this.button = document.createElement("button");
    this.meter = document.createElement("meter");
    this.state = document.createElement("p");
    this.list = document.createElement("ol");
    this.state.setAttribute("role", "status");
    this.button.addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    root.replaceChildren(this.button, this.meter, this.state, this.list);
  }

  update(data) {
    this.data = data;
    Object.assign(this.meter, { min: 0, max: 1, title: data.strings.score });
    this.meter.setAttribute("aria-label", data.strings.score);
    this.label();
  }

  label() {
    this.button.textContent = this.data.strings[this.stream ? "stop" : "start"];
  }

  say(text) {
    this.state.textContent = text;
  }

  async start() {
    const { strings } = this.data;
    this.button.disabled = true;
    this.say(strings.loading);
    try {
      runtime ??= loadRuntime();
      const ort = await runtime;
      const session = await ort.InferenceSession.create(bytesOf(this.data.model), { executionProviders: ["wasm"] });
      this.detector = new Detector(ort, session, this.data.about);
    } catch (error) {
      runtime = undefined;
      this.say(strings.failed.replace("{reason}", error.message));
      this.button.disabled = false;
      return;
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      await this.connect();
      this.list.replaceChildren();
      this.say(strings.listening);
    } catch (error) {
      this.stop();
      this.say(strings.microphone.replace("{reason}", error.message));
    }
    this.button.disabled = false;
    this.label();
  }

  async connect() {
    this.audio = new AudioContext({ sampleRate: RATE_HZ });
    await this.audio.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" })));
    const pieces = new AudioWorkletNode(this.audio, "pieces");
    this.audio.createMediaStreamSource(this.stream).connect(pieces);
    this.waiting = [];
    pieces.port.onmessage = ({ data }) => {
      this.waiting.push(...data);
      this.hear();
    };
  }

  // One question at a time: what comes meanwhile waits.
  async hear() {
    if (this.busy || this.waiting.length < PIECE) return;
    this.busy = true;
    const { detector } = this;
    const results = await detector.feed(Float32Array.from(this.waiting.splice(0)));
    const newest = results.slice(-detector.words.length).map(({ score }) => score);
    if (newest.length) this.meter.value = Math.max(...newest);
    for (const result of results) {
      if (!result.detected) continue;
      const line = document.createElement("li");
      const { strings, about } = this.data;
      line.textContent = (about.words.length > 1 ? strings.detected_word : strings.detected)
        .replace("{word}", result.word)
        .replace("{at}", result.atS.toFixed(1))
        .replace("{score}", result.score.toFixed(2));
      this.list.prepend(line);
    }
    this.busy = false;
  }

  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.audio?.close();
    this.stream = this.audio = undefined;
    this.say("");
    this.label();
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".browser-detector");
  if (!pages.has(root)) pages.set(root, new Page(root));
  pages.get(root).update(data);
  return () => {
    pages.get(root)?.stop();
    pages.delete(root);
  };
}
