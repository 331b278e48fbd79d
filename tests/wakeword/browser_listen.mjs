// The page's detector of a bundle in node: node browser_listen.mjs RUNTIME DETECTOR_JS, in a folder with model.onnx,
// detector.json and sound.f32, heard PIECE samples at a time. Beside it lies the runtime's ort.mjs.
import fs from "fs";
import zlib from "zlib";
import * as ort from "./ort.mjs";

const PIECE = 1600;
const [runtime, script] = process.argv.slice(2);
ort.env.wasm.wasmBinary = zlib.gunzipSync(fs.readFileSync(runtime + "/ort-wasm-simd-threaded.wasm.gz")).buffer;
ort.env.wasm.numThreads = 1;
const Detector = new Function(fs.readFileSync(script, "utf8") + "; return Detector;")();
const session = await ort.InferenceSession.create(fs.readFileSync("model.onnx"), { executionProviders: ["wasm"] });
const detector = new Detector(ort, session, JSON.parse(fs.readFileSync("detector.json")));
const bytes = fs.readFileSync("sound.f32");
const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const detections = [];
const begun = process.cpuUsage();
for (let at = 0; at < samples.length; at += PIECE)
  for (const { atS, score, detected } of await detector.feed(samples.slice(at, at + PIECE)))
    if (detected) detections.push([atS, score]);
const { user, system } = process.cpuUsage(begun);
console.log(JSON.stringify({ detections, keptFrames: detector.frames.length, cpuS: (user + system) / 1e6 }));
