// Words over their phones; each plays its own stretch of the recording, of the reference, or both in turn. Below it,
// what to work on, each with what to hear. Every text comes from the page, in its language.

const LEAD_S = 0.04;
const SHORTEST_S = 0.25;
const SLOW = 0.6;
const GAP_MS = 250;

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
    this.audio.preservesPitch = true;
    this.done = () => {};
  }

  // Resolves when the stretch is over, or something else was asked for.
  play(span, rate) {
    this.stop();
    const whole = span === null;
    const middle = whole ? 0 : (span[0] + span[1]) / 2;
    const half = whole ? 0 : Math.max(span[1] - span[0], SHORTEST_S) / 2 + LEAD_S;
    this.audio.currentTime = whole ? 0 : Math.max(0, middle - half);
    this.audio.playbackRate = rate;
    return new Promise((resolve) => {
      this.done = resolve;
      this.audio.onended = () => this.stop();
      // From the first sound, not from the click: loading takes as long as a short word.
      this.audio.onplaying = () => {
        clearTimeout(this.timer);
        if (!whole) this.timer = setTimeout(() => this.stop(), (2000 * half) / rate);
      };
      this.audio.play().catch(() => this.stop());
    });
  }

  stop() {
    clearTimeout(this.timer);
    this.audio.pause();
    this.done();
    this.done = () => {};
  }

  free() {
    this.stop();
    URL.revokeObjectURL(this.url);
  }
}

class Player {
  constructor(data) {
    this.clips = { mine: new Clip(data.wav) };
    if (data.reference) this.clips.reference = new Clip(data.reference);
    this.mode = "mine";
    this.turn = 0;
    this.button = null;
  }

  async play(spans, button, mode = this.mode) {
    const turn = ++this.turn;
    this.mark(button);
    const order = mode === "both" ? ["mine", "reference"] : [mode === "slow" ? "reference" : mode];
    for (const clip of Object.values(this.clips)) clip.stop();
    for (const [number, name] of order.entries()) {
      const clip = this.clips[name] ?? this.clips.mine;
      if (number) await new Promise((resolve) => setTimeout(resolve, GAP_MS));
      if (turn !== this.turn) return;
      await clip.play(this.clips[name] ? spans[name] : spans.mine, mode === "slow" ? SLOW : 1);
    }
    if (turn === this.turn) this.mark(null);
  }

  mark(button) {
    if (this.button) delete this.button.dataset.playing;
    this.button = button;
    if (button) button.dataset.playing = "yes";
  }

  free() {
    this.turn += 1;
    for (const clip of Object.values(this.clips)) clip.free();
  }
}

function playing(player, kind, part, title, mode, ...children) {
  const attributes = { type: "button", class: kind, title, "aria-label": title };
  if (part.verdict) attributes["data-verdict"] = part.verdict;
  const button = made("button", attributes, ...children);
  button.addEventListener("click", () => player.play(part.spans, button, mode));
  return button;
}

function shape(text) {
  return made("span", { class: "shape", "aria-hidden": "true" }, text);
}

function modes(player, data) {
  const bar = made("div", { class: "modes", role: "radiogroup", "aria-label": data.strings.modes });
  const buttons = data.modes.map(([mode, label]) => {
    const button = made("button", { type: "button", role: "radio", class: "mode" }, label);
    button.addEventListener("click", () => choose(mode));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (data.modes.findIndex(([name]) => name === mode) + step + data.modes.length) % data.modes.length;
      choose(data.modes[next][0]);
      buttons[next].focus();
    });
    return button;
  });
  function choose(mode) {
    player.mode = mode;
    data.modes.forEach(([name], number) => {
      buttons[number].setAttribute("aria-checked", String(name === mode));
      buttons[number].tabIndex = name === mode ? 0 : -1;
    });
  }
  choose(player.mode);
  bar.append(...buttons);
  const all = playing(player, "all", { spans: { mine: null, reference: null } }, data.strings.play_all, undefined, `▶ ${data.strings.all}`);
  return made("div", { class: "toolbar" }, bar, all);
}

function hears(player, data, advice) {
  const modes = data.reference && advice.spans.reference ? ["mine", "reference", "slow"] : ["mine"];
  const buttons = modes.map((mode) => {
    const title = data.strings[`play_${mode}`].replace("{title}", () => advice.title);
    return playing(player, "hear", { spans: advice.spans }, title, mode, `▶ ${data.strings[mode]}`);
  });
  return made("div", { class: "hears" }, ...buttons);
}

function advised(player, data, advice) {
  const parts = [made("strong", {}, advice.title), made("p", {}, advice.text)];
  if (advice.spans) parts.push(hears(player, data, advice));
  return made("li", { class: "advice" }, ...parts);
}

// A syllable each: the stressed one large.
function dots(syllables) {
  const marks = syllables.marks.map((mark) => made("span", { class: `dot ${mark}` }));
  return made("div", { class: "dots", role: "img", "aria-label": syllables.title, title: syllables.title }, ...marks);
}

function show(root, data, player) {
  const words = data.words.map((word) => {
    const number = word.score !== null ? String(word.score) : word.verdict ? "–" : "";
    const label = playing(player, "word", word, word.title, undefined, shape(word.shape), made("span", {}, word.text), made("small", {}, number));
    const phones = word.phones.map((phone) =>
      playing(player, "phone", phone, phone.title, undefined, made("span", {}, phone.ipa), shape(phone.shape)));
    const parts = word.dots ? [dots(word.dots), label] : [label];
    if (phones.length) parts.push(made("div", { class: "phones" }, ...phones));
    if (word.note) parts.push(made("div", { class: "note" }, word.note));
    if (word.level_note) parts.push(made("div", { class: "note" }, word.level_note));
    const column = made("div", word.level ? { class: "column level" } : { class: "column" }, ...parts);
    return word.break ? [made("div", { class: "break", title: word.break.title }, word.break.text), column] : [column];
  });
  const legend = data.legend.map((entry) =>
    made("span", { class: "entry", "data-verdict": entry.verdict }, shape(entry.shape), ` ${entry.text}`));
  const parts = [
    made("div", { class: "words" }, ...words.flat()), modes(player, data), made("div", { class: "legend" }, ...legend),
    made("div", { class: "hint" }, data.strings.hint),
  ];
  // Its words stand beside the score.
  if (data.first?.spans) parts.push(made("h4", {}, data.strings.first), hears(player, data, data.first));
  if (data.advice.length) {
    parts.push(made("h4", {}, data.strings.advice), made("ol", {}, ...data.advice.map((advice) => advised(player, data, advice))));
  }
  root.replaceChildren(...parts);
}

const known = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".scored-text");
  const before = known.get(root);
  const content = JSON.stringify(data);
  if (before && before.content === content) return;
  if (before) before.player.free();
  const player = new Player(data);
  known.set(root, { player, content });
  show(root, data, player);
}
