// Puts player, form and keys together, and talks to the server: one trigger `action` out, `data` in.

const HALF = 0.5; // of a recording, which must be heard before any rating

class RatingForm {
  constructor(root, strings, person) {
    this.root = root;
    this.strings = strings;
    this.person = person;
    this.busy = null;
    this.panel = null;
  }

  build() {
    const { strings } = this;
    this.head = element("div", { class: "head" });
    this.player = new Player(strings, this.person, (ceilingHz) => this.want("ceiling_hz", ceilingHz));
    this.root.replaceChildren(this.head, this.player.root);
    const auto = element("label", { class: "auto" }, element("input", { type: "checkbox", "data-part": "auto" }), strings.autoplay);
    const actions = element(
      "div", { class: "actions" }, button("save", `${strings.save} ⏎`, strings.save_help),
      button("skip", strings.skip, strings.skip_help), button("flag", `⚑ ${strings.flag}`, strings.flag_help),
      button("undo", strings.undo, strings.undo_help), button("previous", "←", strings.previous_help),
      button("next", "→", strings.next_help), auto,
    );
    this.rubricKeys = element("dl", {});
    const keys = keyList(strings);
    keys.append(this.rubricKeys);
    this.message = element("div", { class: "message", role: "status", "aria-live": "polite" });
    actions.insertBefore(this.message, auto);
    this.reasons = element("div", { class: "reasons" });
    // Together at the lower edge of the window, whatever stands above.
    actions.append(keys);
    const footer = element("div", { class: "footer" }, this.reasons, actions);
    this.root.append(element("div", { "data-part": "form" }), footer);
    this.form = new Form(this.root, strings, () => this.say(""));
    this.tiers = new Tiers(this.player, strings, this.person, this.form, (text) => this.say(text), (isOpen) => this.want("tiers", isOpen));
    this.form.tiers = this.tiers;
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
    this.stopKeys = listenToKeys(this.keyActs, () => this.escape());
  }

  on(part, act) {
    this.root.querySelector(`[data-part="${part}"]`).addEventListener("click", (event) => {
      event.currentTarget.blur();
      act();
    });
  }

  playerActs() {
    return {
      " ": () => this.player.toggle(), h: () => this.player.replay(), a: () => this.player.markStart(), b: () => this.player.markEnd(),
      l: () => this.player.toggleLoop(), ",": () => this.player.setSpeed(-1), ".": () => this.player.setSpeed(1),
    };
  }

  acts() {
    const form = () => this.form;
    const acts = {
      ...this.player.acts(), ...this.tiers.acts(),
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

  // `want` tells the server what the page is to bring the next time.
  update(data, send, want) {
    this.sendToServer = send;
    this.want = want;
    const fresh = data.view !== this.view;
    this.view = data.view;
    this.data = data;
    this.showHead();
    if (fresh) this.show(data);
    else {
      this.player.showTracks(data.tracks);
      this.tiers.offer(data.tiers);
    }
    this.answered();
    this.root.querySelector('[data-part="undo"]').disabled = !data.can_undo;
    this.root.querySelector('[data-part="previous"]').disabled = !data.has_previous;
    this.root.querySelector('[data-part="next"]').disabled = !data.has_next;
  }

  show(data) {
    this.player.load(data);
    if (this.left && this.left.view === data.view) this.player.heard = this.left.heard; // what was not saved comes back
    if (this.root.querySelector('[data-part="auto"]').checked) this.player.play(); // before the form is drawn
    this.form.show(data);
    this.useKeys(data.rubric);
    this.closePanel();
  }

  // The recording that is likely to be next is shown and heard while this one is saved. The server's answer decides: of
  // another view, or where saving failed, it is shown in its place.
  showAhead() {
    const { ahead, reference, tracks, tiers, ...rest } = this.data; // what is of this recording alone is not the next one's
    if (!ahead) return;
    this.left = { view: this.view, heard: this.player.heard };
    this.data = { ...rest, ...ahead, previous: null, ahead: null };
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

  escape() {
    if (!this.player.escape()) this.closePanel();
  }

  closePanel() {
    this.panel = null;
    this.reasons?.replaceChildren();
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
    this.stopKeys();
    this.tiers.dispose();
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
  const { data, parentElement, setTriggerValue, setStateValue } = component;
  const root = parentElement.querySelector(".rating-form");
  if (data.preview) return preview(root, data);
  let form = forms.get(root);
  if (form && (form.strings.language !== data.strings.language || form.person !== data.person)) {
    form.dispose();
    form = undefined;
  }
  if (!form) {
    form = new RatingForm(root, data.strings, data.person);
    form.build();
    forms.set(root, form);
  }
  form.update(data, (action) => setTriggerValue("action", action), (name, value) => setStateValue(name, value));
  return () => {
    forms.get(root)?.dispose();
    forms.delete(root);
  };
}
