// Words over their phones; each plays its own stretch of the recording.

const LEAD_S = 0.04;
const SHORTEST_S = 0.25;

function made(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

class Clip {
  constructor(base64) {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    this.url = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
    this.audio = new Audio(this.url);
    this.button = null;
  }

  play(start, end, button) {
    this.stop();
    const middle = (start + end) / 2;
    const half = Math.max(end - start, SHORTEST_S) / 2 + LEAD_S;
    this.audio.currentTime = Math.max(0, middle - half);
    this.button = button;
    button.dataset.playing = "yes";
    this.audio.play().catch(() => this.stop());
    this.timer = setTimeout(() => this.stop(), 2000 * half);
  }

  stop() {
    clearTimeout(this.timer);
    this.audio.pause();
    if (this.button) delete this.button.dataset.playing;
    this.button = null;
  }

  free() {
    this.stop();
    URL.revokeObjectURL(this.url);
  }
}

function listenable(clip, kind, part, ...children) {
  const button = made("button", { type: "button", class: kind, "data-verdict": part.verdict, title: part.title, "aria-label": part.title }, ...children);
  button.addEventListener("click", () => clip.play(part.start, part.end, button));
  return button;
}

function show(root, data, clip) {
  const words = data.words.map((word) => {
    const label = listenable(
      clip, "word", word, made("span", { class: "shape", "aria-hidden": "true" }, word.shape), made("span", {}, word.text),
      made("small", {}, word.score === null ? "–" : String(word.score)),
    );
    const phones = word.phones.map((phone) =>
      listenable(clip, "phone", phone, made("span", {}, phone.ipa), made("span", { class: "shape", "aria-hidden": "true" }, phone.shape)));
    const parts = [label, made("div", { class: "phones" }, ...phones)];
    if (word.note) parts.push(made("div", { class: "note" }, word.note));
    return made("div", { class: "column" }, ...parts);
  });
  const legend = data.legend.map((entry) =>
    made("span", { class: "entry", "data-verdict": entry.verdict }, made("span", { class: "shape" }, entry.shape), ` ${entry.text}`));
  root.replaceChildren(made("div", { class: "words" }, ...words), made("div", { class: "legend" }, ...legend));
}

const known = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".reading");
  const before = known.get(root);
  if (before && before.wav === data.wav && before.words === JSON.stringify(data.words)) return;
  if (before) before.clip.free();
  const clip = new Clip(data.wav);
  known.set(root, { clip, wav: data.wav, words: JSON.stringify(data.words) });
  show(root, data, clip);
}
