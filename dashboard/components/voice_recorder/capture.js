// The microphone as samples. Browsers change what they hear for telephone calls: a score needs it as it was.

const ASKED = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const HIGHEST_RATE_HZ = 48_000;
const WORKLET = `registerProcessor("recorder", class extends AudioWorkletProcessor {
  process(inputs) {
    if (inputs[0][0]) this.port.postMessage(inputs[0][0].slice());
    return true;
  }
});`;
const POLL_MS = 50;

// Opens the microphone; `hear(samples)` gets the sound as it comes. Rejects with what getUserMedia rejects with.
async function openMicrophone(hear) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: ASKED });
  const deviceHz = stream.getAudioTracks()[0].getSettings().sampleRate;
  let context;
  try {
    context = new AudioContext(deviceHz ? { sampleRate: Math.min(deviceHz, HIGHEST_RATE_HZ) } : {});
  } catch {
    context = new AudioContext();
  }
  context.resume().catch(() => {}); // where it stays asleep no sound comes, which the recorder tells
  const capture = { stream, context, rateHz: context.sampleRate };
  const source = context.createMediaStreamSource(stream);
  try {
    await throughWorklet(capture, source, hear);
  } catch {
    throughMediaRecorder(capture, source, hear);
  }
  capture.close = () => {
    stream.getTracks().forEach((track) => track.stop());
    clearInterval(capture.timer);
    if (context.state !== "closed") context.close();
  };
  return capture;
}

async function throughWorklet(capture, source, hear) {
  const { context } = capture;
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  await context.audioWorklet.addModule(url);
  URL.revokeObjectURL(url);
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const pieces = [];
  node.port.onmessage = ({ data }) => {
    pieces.push(data);
    hear(data);
  };
  source.connect(node);
  capture.finish = async () => joined(pieces);
}

// For browsers without worklets: what they encode is decoded again here, and the level is looked at now and then.
function throughMediaRecorder(capture, source, hear) {
  const { context, stream, rateHz } = capture;
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start();
  const analyser = new AnalyserNode(context, { fftSize: 32_768 });
  source.connect(analyser);
  const window = new Float32Array(analyser.fftSize);
  let lookedAtS = context.currentTime;
  capture.timer = setInterval(() => {
    const { currentTime } = context; // a busy page looks late, and a context that sleeps has heard nothing
    const n = Math.min(window.length, Math.round(rateHz * (currentTime - lookedAtS)));
    lookedAtS = currentTime;
    if (n < 1) return;
    analyser.getFloatTimeDomainData(window);
    hear(window.slice(-n));
  }, POLL_MS);
  capture.finish = async () => {
    clearInterval(capture.timer);
    recorder.stop();
    await ended;
    const sound = await context.decodeAudioData(await new Blob(parts, { type: recorder.mimeType }).arrayBuffer());
    return sound.getChannelData(0).slice();
  };
}

function joined(pieces) {
  const samples = new Float32Array(pieces.reduce((n, piece) => n + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return samples;
}
