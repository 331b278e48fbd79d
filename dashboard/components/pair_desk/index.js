// Two players and the answer, and what goes to the server: one trigger `action` out, `data` in.

const SIDES = ["left", "right"];
const LETTERS = ["A", "B"];
const END_S = 0.05; // the last moments before the end of a file are not always played

class PairDesk {
  constructor(root, strings, person) {
    this.root = root;
    this.strings = strings;
    this.person = person;
    this.busy = null;
    this.choice = null;
    this.panelOpen = false;
    this.inTurn = false; // B follows A
    this.players = SIDES.map(() => new Player(strings, person, (ceilingHz) => this.want(ceilingHz)));
    this.build();
  }

  build() {
    const { strings } = this;
    this.head = element("div", { class: "head" });
    this.names = SIDES.map(() => element("span", { class: "side-text" }));
    this.marks = SIDES.map(() => element("span", { class: "side-heard" }));
    const sides = this.players.map((player, place) => {
      player.addEventListener("state", () => this.playing(place));
      player.addEventListener("cursor", () => this.showHeard());
      player.root.setAttribute("aria-label", LETTERS[place]);
      const title = element("div", { class: "side-head" }, element("b", {}, LETTERS[place]), this.names[place], this.marks[place]);
      return element("section", { class: "side", "data-side": SIDES[place] }, title, player.root);
    });
    this.answers = element("div", { class: "answers", role: "radiogroup", "aria-label": strings.which });
    const actions = element(
      "div", { class: "row-of-actions" }, button("save", `${strings.save} ⏎`, strings.save_help),
      button("both", `▶ ${strings.play_both}`, strings.play_both_help), button("skip", strings.skip, strings.skip_help),
      button("undo", strings.undo, strings.undo_help),
      element("label", { class: "auto" }, element("input", { type: "checkbox", "data-part": "auto" }), strings.autoplay),
    );
    this.message = element("div", { class: "message", role: "status", "aria-live": "polite" });
    this.reasons = element("div", { class: "reasons" });
    this.root.replaceChildren(
      this.head, element("div", { class: "sides" }, ...sides), this.message,
      element("div", { class: "actions" }, this.answers, actions), this.reasons, this.buildKeys(),
    );
    const acts = { save: () => this.save(), both: () => this.playBoth(), skip: () => this.ask(), undo: () => this.send("undo") };
    for (const [part, act] of Object.entries(acts)) this.part(part).addEventListener("click", act);
    const box = this.part("auto");
    box.checked = localStorage.getItem("pronlab-autoplay") !== "off";
    box.addEventListener("change", () => localStorage.setItem("pronlab-autoplay", box.checked ? "on" : "off"));
    // After a mouse click the keys belong to the desk again; who came by Tab keeps the place.
    this.root.addEventListener("click", (event) => {
      const control = event.target.closest("button, summary, input[type=checkbox]");
      if (control && event.detail > 0) control.blur();
    });
    const stops = this.players.map((player) => listenToKeys(player.acts(), () => player.escape(), player.root));
    this.stopKeys = [...stops, listenToKeys(this.acts(), () => this.closePanel())];
  }

  buildKeys() {
    const list = element("dl", {});
    for (const [keys, act] of this.strings.key_list) {
      list.append(element("div", {}, element("dt", {}, ...keys.map((name) => element("kbd", {}, name))), element("dd", {}, act)));
    }
    return element("details", { class: "keys", "data-part": "keys" }, element("summary", {}, this.strings.keys), list);
  }

  buildAnswers() {
    const { strings, data } = this;
    const kinds = data.ties ? ["left", "tie", "right"] : SIDES;
    const keys = { left: "1", tie: "t", right: "2" };
    this.answers.replaceChildren(...kinds.map((kind) => {
      const choice = element(
        "button", { type: "button", role: "radio", "data-answer": kind, title: strings[`${kind}_help`] },
        element("kbd", {}, keys[kind]), ` ${strings[kind]}`,
      );
      choice.addEventListener("click", () => this.choose(kind));
      return choice;
    }));
  }

  acts() {
    const left = () => this.choose("left");
    const right = () => this.choose("right");
    const acts = {
      " ": () => this.playBoth(), a: () => this.playOne(0), b: () => this.playOne(1), 1: () => this.digit(1), 2: () => this.digit(2),
      ArrowLeft: left, ArrowRight: right, t: () => this.choose("tie"), Enter: () => (this.panelOpen ? this.skip() : this.save()),
      s: () => this.ask(), u: () => this.send("undo"), "?": () => this.part("keys").toggleAttribute("open"),
    };
    for (let digit = 3; digit <= 9; digit += 1) acts[digit] = () => this.digit(digit);
    return acts;
  }

  part(name) {
    return this.root.querySelector(`:scope > .actions [data-part="${name}"], :scope > [data-part="${name}"]`);
  }

  update(data, send, want) {
    this.sendToServer = send;
    this.want = want;
    const fresh = data.view !== this.view;
    this.view = data.view;
    this.data = data;
    this.showHead();
    if (fresh) {
      this.inTurn = false;
      this.players.forEach((player, place) => player.load(data.sounds[place]));
      this.buildAnswers();
      this.mark(data.previous || null);
      this.closePanel();
      this.showHeard();
    } else this.players.forEach((player, place) => player.showTracks(data.sounds[place].tracks));
    this.answered();
    this.part("undo").disabled = !data.can_undo;
    if (fresh && this.part("auto").checked) this.playBoth();
  }

  // The server's answer to the last action: only now is anything called saved.
  answered() {
    const { answer } = this.data;
    if (this.busy && (!answer || answer.nonce !== this.busy)) return;
    this.busy = null;
    this.root.classList.remove("busy");
    this.say(answer ? answer.message : "", answer && !answer.ok ? "bad" : "ok");
  }

  showHead() {
    const { data, strings } = this;
    const [left, right] = data.texts;
    this.head.replaceChildren(
      element("span", { class: "target" }, left === right ? left : strings.which),
      ...(left === right ? [element("span", { class: "hint" }, strings.which)] : []),
      element("span", { class: "progress", title: strings.progress_help }, data.progress),
      element("span", { class: "bar" }, element("span", { style: `width:${100 * data.share}%` })),
    );
    this.names.forEach((name, place) => name.replaceChildren(left === right ? "" : data.texts[place]));
  }

  showHeard() {
    this.players.forEach((player, place) => {
      const mark = this.heardOf(place) ? `✓ ${this.strings.heard}` : this.strings.not_heard;
      if (this.marks[place].textContent !== mark) this.marks[place].textContent = mark;
    });
  }

  heardOf(place) {
    return this.players[place].sounds && this.players[place].heardShare >= this.data.hear_share;
  }

  // One at a time; B after A where both were asked for.
  playing(place) {
    const [player, other] = [this.players[place], this.players[1 - place]];
    if (player.isPlaying) {
      if (other.isPlaying) other.toggle();
      return;
    }
    const ended = player.sounds && player.cursorS >= player.durationS - END_S;
    if (place === 0 && this.inTurn && ended) {
      this.inTurn = false;
      this.players[1].replay();
    }
  }

  playBoth() {
    const playing = this.players.filter((player) => player.isPlaying);
    this.inTurn = !playing.length;
    if (playing.length) playing.forEach((player) => player.toggle());
    else this.players[0].replay();
  }

  playOne(place) {
    this.inTurn = false;
    this.players[place].replay();
  }

  choose(kind) {
    if (this.busy || (kind === "tie" && !this.data.ties)) return;
    this.mark(kind);
    this.say("");
  }

  mark(kind) {
    this.choice = kind;
    for (const choice of this.answers.children) choice.setAttribute("aria-checked", String(choice.dataset.answer === kind));
    this.root.querySelectorAll(".side").forEach((side) => side.classList.toggle("chosen", side.dataset.side === kind));
  }

  digit(number) {
    if (this.panelOpen) this.chooseReason(number - 1);
    else if (number <= SIDES.length) this.choose(SIDES[number - 1]);
  }

  save() {
    if (this.busy) return;
    if (!this.heardOf(0) || !this.heardOf(1)) this.say(this.strings.listen_first, "bad");
    else if (!this.choice) this.say(this.strings.choose_first, "bad");
    else this.send(this.choice);
  }

  ask() {
    if (this.busy) return;
    const { strings } = this;
    this.panelOpen = true;
    this.reason = null;
    const list = this.data.reasons.map(([, shown], index) => {
      const choice = element("button", { type: "button", "data-reason": index }, element("kbd", {}, String(index + 1)), ` ${shown}`);
      choice.addEventListener("click", () => this.chooseReason(index));
      return choice;
    });
    const other = element("input", { type: "text", placeholder: strings.other_reason, maxlength: 200, "aria-label": strings.other_reason_label });
    other.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        event.stopPropagation();
        this.skip();
      }
    });
    const confirm = element("button", { type: "button", class: "primary" }, `${strings.skip_confirm} ⏎`);
    confirm.addEventListener("click", () => this.skip());
    const cancel = element("button", { type: "button" }, strings.cancel);
    cancel.addEventListener("click", () => this.closePanel());
    this.reasons.replaceChildren(element("b", {}, strings.why_skip), ...list, other, confirm, cancel);
    this.reasons.scrollIntoView({ block: "nearest" });
  }

  chooseReason(index) {
    if (!this.data.reasons[index]) return;
    this.reason = this.data.reasons[index][0];
    for (const entry of this.reasons.querySelectorAll("[data-reason]")) {
      entry.setAttribute("aria-pressed", String(Number(entry.dataset.reason) === index));
    }
  }

  skip() {
    const reason = this.reasons.querySelector("input").value.trim() || this.reason;
    if (!reason) this.say(this.strings.reason_first, "bad");
    else this.send("skip", { reason });
  }

  closePanel() {
    this.panelOpen = false;
    this.reasons.replaceChildren();
  }

  say(text, mood) {
    this.message.textContent = text;
    this.message.dataset.mood = mood || "";
  }

  send(kind, fields) {
    if (this.busy || (kind === "undo" && !this.data.can_undo)) return;
    for (const player of this.players) if (player.isPlaying) player.toggle();
    this.inTurn = false;
    this.busy = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
    this.root.classList.add("busy");
    this.say(this.strings.saving);
    const heard = this.players.map((player) => Number(player.heardShare.toFixed(3)));
    this.sendToServer({ nonce: this.busy, kind, view: this.data.view, heard, ...fields });
  }

  dispose() {
    this.stopKeys.forEach((stop) => stop());
    this.players.forEach((player) => player.dispose());
  }
}

const desks = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue, setStateValue } = component;
  const root = parentElement.querySelector(".pair-desk");
  const { person } = data.sounds[0];
  let desk = desks.get(root);
  if (desk && (desk.strings.language !== data.strings.language || desk.person !== person)) {
    desk.dispose();
    desk = undefined;
  }
  if (!desk) {
    desk = new PairDesk(root, data.strings, person);
    desks.set(root, desk);
  }
  desk.update(data, (action) => setTriggerValue("action", action), (ceilingHz) => setStateValue("ceiling_hz", ceilingHz));
  return () => {
    desks.get(root)?.dispose();
    desks.delete(root);
  };
}
