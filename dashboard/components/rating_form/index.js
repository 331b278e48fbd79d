// Puts player, form and keys together, and talks to the server: one trigger `action` out, `data` in.

const HALF = 0.5; // of a recording, which must be heard before any rating

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(part, label, title) {
  return element("button", { type: "button", "data-part": part, title: title || label }, label);
}

// A number with so many decimals, as the reader's language writes it.
function formatted(language, value, digits) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
}

// `text` with its {placeholders} replaced.
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

class RatingForm {
  constructor(root, strings) {
    this.root = root;
    this.strings = strings;
    this.busy = null;
    this.panel = null;
  }

  build(rating) {
    const { strings } = this;
    const canvas = element("canvas", { class: "pictures", role: "img", "aria-label": strings.pictures, title: strings.pictures });
    const transport = element(
      "div", { class: "transport" }, button("play", `▶ ${strings.play}`, strings.play_help), button("replay", "↺", strings.replay_help),
      button("loop", `⟳ ${strings.loop}`, strings.loop_help), button("slower", "–", strings.slower_help),
      element("span", { "data-part": "speed", class: "speed" }, ""), button("faster", "+", strings.faster_help),
      element("span", { "data-part": "time", class: "time" }, ""),
    );
    this.head = element("div", { class: "head" });
    this.root.replaceChildren(this.head, canvas, transport);
    this.player = new Player(this.root, canvas, strings);
    this.on("play", () => this.player.toggle());
    this.on("replay", () => this.player.replay());
    this.on("loop", () => this.player.toggleLoop());
    this.on("slower", () => this.player.setSpeed(-1));
    this.on("faster", () => this.player.setSpeed(1));
    if (rating) this.buildRating();
  }

  buildRating() {
    const { strings } = this;
    const auto = element("label", { class: "auto" }, element("input", { type: "checkbox", "data-part": "auto" }), strings.autoplay);
    const actions = element(
      "div", { class: "actions" }, button("save", `${strings.save} ⏎`, strings.save_help),
      button("skip", strings.skip, strings.skip_help), button("flag", `⚑ ${strings.flag}`, strings.flag_help),
      button("undo", strings.undo, strings.undo_help), button("previous", "←", strings.previous_help),
      button("next", "→", strings.next_help), auto,
    );
    const keys = element("details", { class: "keys", "data-part": "keys" }, element("summary", {}, strings.keys));
    const list = element("dl", {});
    this.rubricKeys = element("dl", {});
    for (const [keys, act] of strings.key_list) {
      list.append(element("div", {}, element("dt", {}, ...keys.map((name) => element("kbd", {}, name))), element("dd", {}, act)));
    }
    keys.append(list, this.rubricKeys);
    this.message = element("div", { class: "message", role: "status", "aria-live": "polite" });
    actions.insertBefore(this.message, auto);
    this.reasons = element("div", { class: "reasons" });
    // Together at the lower edge of the window, whatever stands above.
    actions.append(keys);
    const footer = element("div", { class: "footer" }, this.reasons, actions);
    this.root.append(element("div", { "data-part": "form" }), footer);
    this.form = new Form(this.root, strings, () => this.say(""));
    this.on("save", () => this.save());
    this.on("skip", () => this.ask("skip"));
    this.on("flag", () => this.ask("flag"));
    for (const kind of ["undo", "previous", "next"]) this.on(kind, () => this.send(kind));
    const box = this.root.querySelector('[data-part="auto"]');
    box.checked = localStorage.getItem("pronlab-autoplay") !== "off";
    box.addEventListener("change", () => localStorage.setItem("pronlab-autoplay", box.checked ? "on" : "off"));
    // After a mouse click the keys belong to the form again; who came by Tab keeps the place.
    this.root.addEventListener("click", (event) => {
      const control = event.target.closest("button, summary, input[type=checkbox], input[type=range]");
      if (event.detail === 0) return;
      if (control) control.blur();
      // A click beside the controls gives the focus to Streamlit's scrolling part, which the next key would frame.
      else if (document.activeElement?.matches("[data-testid=stMain]")) document.activeElement.blur();
    });
    this.keyActs = this.acts();
    this.stopKeys = listenToKeys(this.keyActs, () => this.closePanel());
  }

  on(part, act) {
    this.root.querySelector(`[data-part="${part}"]`).addEventListener("click", (event) => {
      event.currentTarget.blur();
      act();
    });
  }

  acts() {
    const form = () => this.form;
    const acts = {
      " ": () => this.player.toggle(), h: () => this.player.replay(), a: () => this.player.markStart(), b: () => this.player.markEnd(),
      l: () => this.player.toggleLoop(), ",": () => this.player.setSpeed(-1), ".": () => this.player.setSpeed(1),
      j: () => form().nudge(-1), k: () => form().nudge(1), J: () => form().nudge(-10), K: () => form().nudge(10),
      z: () => form().lowest(), ArrowUp: () => form().move(-1), ArrowDown: () => form().move(1), w: () => form().nextWord(),
      x: () => form().word >= 0 && form().cycleMark(form().word, null), m: () => form().notes.focus(),
      Enter: () => (this.panel ? this.confirmPanel() : this.save()), s: () => this.ask("skip"), f: () => this.ask("flag"),
      u: () => this.send("undo"), ArrowLeft: () => this.send("previous"), ArrowRight: () => this.send("next"),
      "?": () => this.root.querySelector('[data-part="keys"]').toggleAttribute("open"),
    };
    for (let digit = 0; digit <= 9; digit += 1) acts[String(digit)] = () => this.digit(digit);
    return acts;
  }

  digit(number) {
    if (this.panel) this.chooseReason(number - 1);
    else this.form.digit(number);
  }

  // The keys that a rubric has of its own, in place of those of the rubric before it.
  useKeys(rubric) {
    for (const key of this.ownKeys || []) delete this.keyActs[key];
    this.ownKeys = Object.keys(rubric.keys);
    const names = Object.fromEntries([...rubric.dimensions, ...rubric.marks].map((entry) => [entry.key, entry.label]));
    this.rubricKeys.replaceChildren(...this.ownKeys.map((key) => (
      element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, names[rubric.keys[key]]))
    )));
    for (const key of this.ownKeys) this.keyActs[key] = () => this.form.shortcut(rubric.keys[key]);
  }

  update(data, send) {
    this.sendToServer = send;
    const fresh = data.view !== this.view;
    this.view = data.view;
    this.data = data;
    this.showHead();
    if (fresh) this.show(data);
    if (!data.rubric) return;
    this.answered();
    this.root.querySelector('[data-part="undo"]').disabled = !data.can_undo;
    this.root.querySelector('[data-part="previous"]').disabled = !data.has_previous;
    this.root.querySelector('[data-part="next"]').disabled = !data.has_next;
  }

  show(data) {
    this.player.load(bytesOf(data.wav), data.spectrogram);
    if (this.left && this.left.view === data.view) this.player.heard = this.left.heard; // what was not saved comes back
    if (data.rubric && this.root.querySelector('[data-part="auto"]').checked) this.player.play(); // before the form is drawn
    if (!data.rubric) return;
    this.form.show(data);
    this.useKeys(data.rubric);
    this.closePanel();
  }

  // The recording that is likely to be next is shown and heard while this one is saved. The server's answer decides: of
  // another view, or where saving failed, it is shown in its place.
  showAhead() {
    const { ahead } = this.data;
    if (!ahead) return;
    this.left = { view: this.view, heard: this.player.heard };
    this.data = { ...this.data, ...ahead, previous: null, ahead: null };
    this.view = this.data.view;
    this.root.classList.add("ahead");
    this.showHead();
    this.show(this.data);
  }

  // The server's answer to the last action: only now is anything called saved, and only now does its draft go.
  answered() {
    const answer = this.data.answer;
    if (this.busy && (!answer || answer.nonce !== this.busy.nonce)) return;
    if (this.busy && answer.ok) this.form.forgetDraft(this.busy.draftKey);
    this.busy = null;
    this.root.classList.remove("busy", "ahead");
    if (answer) this.say(answer.message, answer.ok ? "ok" : "bad");
    else this.say("");
  }

  showHead() {
    const { data } = this;
    this.head.replaceChildren(element("span", { class: "target" }, data.label));
    if (!data.rubric) return;
    this.head.append(
      element("span", { class: "hint" }, data.hint),
      element("span", { class: "progress", title: this.strings.progress_help }, data.progress),
      element("span", { class: "bar" }, element("span", { style: `width:${100 * data.share}%` })),
    );
  }

  say(text, mood) {
    this.message.textContent = text;
    this.message.dataset.mood = mood || "";
  }

  save() {
    if (this.busy) return;
    if (this.player.heardShare < this.data.hear_share) {
      return this.say(this.data.hear_share > HALF ? this.strings.hear_all_first : this.strings.listen_first, "bad");
    }
    if (!this.form.complete) {
      return this.say(this.form.single ? this.strings.score_first : this.strings.dimensions_first, "bad");
    }
    return this.send("rate", this.form.answer());
  }

  ask(kind) {
    if (this.busy) return;
    const { strings } = this;
    this.panel = { kind, chosen: null };
    const list = this.data.reasons[kind].map(([, reason], index) => {
      const choice = element("button", { type: "button", "data-reason": index }, element("kbd", {}, String(index + 1)), ` ${reason}`);
      choice.addEventListener("click", () => this.chooseReason(index));
      return choice;
    });
    const other = element("input", { type: "text", placeholder: strings.other_reason, maxlength: 200, "aria-label": strings.other_reason_label });
    other.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.stopPropagation();
        this.confirmPanel();
      }
    });
    const confirm = element("button", { type: "button", class: "primary" }, `${kind === "skip" ? strings.skip_confirm : strings.flag_confirm} ⏎`);
    confirm.addEventListener("click", () => this.confirmPanel());
    const cancel = element("button", { type: "button" }, strings.cancel);
    cancel.addEventListener("click", () => this.closePanel());
    const title = kind === "skip" ? strings.why_skip : strings.why_flag;
    this.reasons.replaceChildren(element("b", {}, title), ...list, other, confirm, cancel);
  }

  chooseReason(index) {
    const buttons = [...this.reasons.querySelectorAll("[data-reason]")];
    if (!buttons[index]) return;
    this.panel.chosen = this.data.reasons[this.panel.kind][index][0];
    buttons.forEach((entry, place) => entry.setAttribute("aria-pressed", String(place === index)));
  }

  confirmPanel() {
    const written = this.reasons.querySelector("input").value.trim();
    const reason = written || this.panel.chosen;
    if (!reason) return this.say(this.strings.reason_first, "bad");
    return this.send(this.panel.kind, { reason, notes: this.form.notes.value });
  }

  closePanel() {
    this.panel = null;
    this.reasons.replaceChildren();
  }

  send(kind, fields) {
    if (this.busy) return;
    const allowed = { undo: this.data.can_undo, previous: this.data.has_previous, next: this.data.has_next };
    if (kind in allowed && !allowed[kind]) return;
    const nonce = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
    this.busy = { nonce, draftKey: ["rate", "skip", "flag"].includes(kind) ? this.form.draftKey : "none" };
    this.root.classList.add("busy");
    if (["rate", "skip", "flag", "undo"].includes(kind)) this.say(this.strings.saving);
    const heard = Number(this.player.heardShare.toFixed(3));
    const action = { nonce, kind, item: this.data.item, heard, ...fields };
    if (["rate", "skip", "flag"].includes(kind)) this.showAhead();
    this.sendToServer(action);
  }

  dispose() {
    if (this.stopKeys) this.stopKeys();
    this.player.dispose();
  }
}

// The form of a rubric alone, to look at: without a recording, and nothing is kept.
function preview(root, data) {
  root.replaceChildren(element("div", { "data-part": "form" }));
  const form = new Form(root, data.strings, () => {});
  form.keepDraft = () => {};
  form.readDraft = () => null;
  form.show(data);
  return () => root.replaceChildren();
}

const forms = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".rating-form");
  if (data.preview) return preview(root, data);
  let form = forms.get(root);
  if (form && form.strings.language !== data.strings.language) {
    form.dispose();
    form = undefined;
  }
  if (!form) {
    form = new RatingForm(root, data.strings);
    form.build(Boolean(data.rubric));
    forms.set(root, form);
  }
  form.update(data, (action) => setTriggerValue("action", action));
  return () => {
    forms.get(root)?.dispose();
    forms.delete(root);
  };
}
