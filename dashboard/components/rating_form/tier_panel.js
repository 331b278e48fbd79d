// The tiers of a recording beside the rating form: lane, panel and keys put together. Folded away until they are wanted.

const NEW_SEGMENT_S = 0.1;
// What a mark of each kind is set by, in this order of the rubric's marks; others by their buttons alone.
const MARK_KEYS = { mispronounced: "W", accent: "H", missing: "O", added: "I", stress: "T", tone: "P" };
const WITH_SOUND = ["mispronounced", "added"]; // marks that say which sound was heard

class Tiers {
  // `form` has the marks of words and sounds (`marks`, `setMarksAt`) and keeps the draft; `say` shows a message, `onOpen`
  // tells the server whether tiers are wanted.
  constructor(player, strings, person, form, say, onOpen) {
    this.player = player;
    this.strings = strings;
    this.form = form;
    this.say = say;
    this.onOpen = onOpen;
    this.storageKey = `pronlab-tiers:${person}`;
    this.end = "end_s";
    this.model = new TierModel();
    this.lane = new TierLane(player, this.model, strings);
    Object.assign(this.lane, {
      onCurrent: () => this.showCurrent(), onPlay: () => this.play(), onRename: () => this.rename(),
      onEnd: (end) => this.chooseEnd(end), onNudge: (seconds) => this.nudge(seconds),
    });
    this.build();
    this.model.addEventListener("change", () => this.changed());
  }

  build() {
    const { strings } = this;
    const make = (part, text, act) => {
      const made = button(part, text, strings.tier_help[part]);
      made.addEventListener("click", () => {
        this.lane.root.focus({ preventScroll: true });
        act(); // which may put the focus into the label
      });
      return made;
    };
    this.toggle = element("button", { type: "button", class: "tier-toggle", "data-part": "tiers", "aria-expanded": "false", title: strings.tier_help.tiers }, `${strings.tiers}`);
    this.toggle.addEventListener("click", () => this.open(!this.isOpen));
    this.label = element("input", { type: "text", maxlength: 500, "aria-label": strings.tier_label, placeholder: strings.tier_label });
    this.label.addEventListener("keydown", (event) => this.leave(event));
    this.label.addEventListener("change", () => this.setLabel(this.label.value));
    this.times = element("output", { class: "tier-times" });
    this.heard = element("select", { "aria-label": strings.tier_heard });
    this.heard.addEventListener("change", () => this.setHeard(this.heard.value));
    this.heard.addEventListener("keydown", (event) => this.leave(event));
    this.markButtons = element("div", { class: "tier-group", role: "group", "aria-label": strings.marks });
    const ends = ["start_s", "end_s"].map((end) => make(end, strings.tier_ends[end], () => this.chooseEnd(end)));
    const nudges = [[-0.005, "−5"], [-0.001, "−1"], [0.001, "+1"], [0.005, "+5"]].map(([seconds, text]) => {
      const made = make(`nudge${seconds}`, text, () => this.nudge(seconds));
      made.title = filled(strings.tier_nudge, { ms: text });
      made.setAttribute("aria-label", made.title);
      return made;
    });
    const edits = (...parts) => parts.map((part) => make(part, strings.tier_edits[part], () => this[part]()));
    const group = (...children) => element("div", { class: "tier-group" }, ...children);
    this.panel = element(
      "div", { class: "tier-panel", role: "group", "aria-label": strings.tier_panel, hidden: "" },
      group(this.label, this.times), group(...ends, ...nudges), group(...edits("split", "merge", "add", "remove", "tier_undo", "tier_redo")),
      group(this.markButtons, this.heard), group(...edits("comment", "now")),
    );
    this.player.root.after(this.panel);
    this.player.toolbar.part("settings").parentElement.before(element("div", { class: "group" }, this.toggle));
    // Keys do all of it: the panel is no row of stops on the way to the form.
    for (const control of [this.toggle, ...this.panel.querySelectorAll("button, input, select")]) control.tabIndex = -1;
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open(isOpen) {
    this.panel.hidden = !isOpen;
    this.lane.root.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
    this.panel.closest(".rating-form")?.classList.toggle("has-tiers", isOpen);
    localStorage.setItem(this.storageKey, isOpen ? "open" : "folded");
    this.onOpen(isOpen);
    if (!isOpen) return;
    this.lane.draw();
    this.lane.root.focus({ preventScroll: true });
  }

  // A fresh recording: the rater's own segments where there are any, else those to start from.
  show(data, before) {
    const { strings } = this;
    this.lane.markNames = Object.fromEntries(data.rubric.marks.map((mark) => [mark.key, mark.label]));
    this.lane.ipa = Object.fromEntries(data.sounds);
    this.kinds = data.rubric.marks;
    this.markButtons.replaceChildren(...this.kinds.map((mark) => {
      const key = MARK_KEYS[mark.key];
      const made = element("button", { type: "button", tabindex: -1, "data-mark": mark.key, "data-kind": mark.key, "aria-pressed": "false", title: mark.label }, strings.tier_marks[mark.key] ?? mark.label, key ? element("kbd", {}, key) : "");
      made.addEventListener("click", () => this.mark(mark.key));
      return made;
    }));
    const option = ([symbol, ipa]) => element("option", { value: symbol }, `${symbol} [${ipa}]`);
    this.heard.replaceChildren(element("option", { value: "" }, strings.tier_heard), ...data.sounds.map(option));
    const own = (before.segments ?? []).map(whole);
    this.model.load(own.length ? own : data.tiers.map(whole), this.player.durationS, own.length > 0);
    this.dropMarksOfAdded();
    this.takeMarks();
    if (localStorage.getItem(this.storageKey) === "open" && !this.isOpen) {
      const focused = this.panel.getRootNode().activeElement;
      this.open(true);
      this.lane.root.blur();
      focused?.focus();
    }
  }

  // The server's better segments to start from.
  offer(tiers) {
    const offered = JSON.stringify(tiers);
    if (offered === this.offered) return;
    this.offered = offered;
    this.model.offer(tiers.map(whole));
    this.takeMarks();
  }

  // A mark of a word that comes from a sound that was added to it is shown there.
  dropMarksOfAdded() {
    const added = this.model.of("phones").filter((segment) => segment.word !== null && segment.phone === null);
    const comesFrom = (mark) => added.some((segment) => segment.word === mark.word && segment.marks[mark.kind] === mark.heard);
    const isOnWord = (mark) => this.model.named(mark.word, null)?.marks[mark.kind] === mark.heard;
    this.form.marks = this.form.marks.filter((mark) => mark.phone !== null || !comesFrom(mark) || isOnWord(mark));
  }

  // Marks that were set on words and sounds also stand on their segments.
  takeMarks() {
    const places = new Map();
    for (const mark of this.form.marks) {
      const key = `${mark.word} ${mark.phone}`;
      places.set(key, [...(places.get(key) ?? []), mark]);
    }
    for (const marks of places.values()) this.model.setMarksAt(marks[0].word, marks[0].phone, marks);
  }

  setMarksAt(word, phone, marks) {
    this.model.setMarksAt(word, phone, marks);
  }

  // What is saved with the rating: nothing where the rater left them as they were.
  answer() {
    if (!this.model.isTouched) return [];
    return this.model.segments.map((segment) => ({ ...segment }));
  }

  changed() {
    if (!this.model.isTouched || this.model.goesOn || !this.kinds) return;
    for (const segment of this.model.segments) {
      if (isNamed(segment)) this.form.setMarksAt(segment.word, segment.phone, segment.marks);
    }
    this.form.changed();
  }

  showCurrent() {
    const { strings } = this;
    const { current } = this.model;
    const seconds = (value) => formatted(strings.language, value, 3);
    this.label.disabled = !current;
    if (this.label.getRootNode().activeElement !== this.label) this.label.value = current?.label ?? "";
    const times = current && { from: seconds(current.start_s), to: seconds(current.end_s), n: seconds(current.start_s) };
    this.times.textContent = current ? filled(current.tier === COMMENTS ? strings.seconds : strings.tier_range, times) : "";
    for (const made of this.markButtons.children) {
      made.setAttribute("aria-pressed", String(Boolean(current) && made.dataset.mark in current.marks));
      made.disabled = !current || current.tier === COMMENTS;
    }
    const kind = this.kindWithSound();
    this.heard.disabled = !kind;
    this.heard.value = kind ? current.marks[kind] : "";
    if (kind && this.heard.value !== current.marks[kind]) {
      this.heard.append(element("option", { value: current.marks[kind] }, current.marks[kind]));
      this.heard.value = current.marks[kind];
    }
    for (const end of ["start_s", "end_s"]) this.panel.querySelector(`[data-part="${end}"]`).setAttribute("aria-pressed", String(end === this.end));
    this.panel.querySelector('[data-part="tier_undo"]').disabled = !this.model.done.length;
    this.panel.querySelector('[data-part="tier_redo"]').disabled = !this.model.undone.length;
  }

  kindWithSound() {
    return WITH_SOUND.find((kind) => kind in (this.model.current?.marks ?? {})) ?? null;
  }

  play() {
    const { current } = this.model;
    if (!current) return;
    if (current.tier === COMMENTS) this.player.seek(current.start_s);
    else this.player.playSpan(current.start_s, current.end_s);
  }

  chooseEnd(end) {
    this.end = end;
    this.showCurrent();
  }

  nudge(seconds) {
    const { current } = this.model;
    if (current) this.model.move(this.end, current[this.end] + seconds);
  }

  split() {
    if (!this.model.split(this.player.cursorS)) return this.say(this.strings.tier_no_split);
    this.end = "start_s";
    return this.rename();
  }

  merge() {
    if (!this.model.merge()) this.say(this.strings.tier_no_next);
  }

  add() {
    const { selection, cursorS } = this.player;
    const tier = this.model.current?.tier ?? "phones";
    const { fromS, toS } = selection ?? { fromS: cursorS, toS: cursorS + NEW_SEGMENT_S };
    if (this.model.add(tier, fromS, toS)) this.rename();
    else this.say(this.strings.tier_no_room);
  }

  remove() {
    this.model.remove();
  }

  tier_undo() {
    this.model.undo();
  }

  tier_redo() {
    this.model.redo();
  }

  comment() {
    if (this.model.comment(this.player.cursorS)) this.rename();
    else this.say(this.strings.tier_no_room);
  }

  // A moment to come back to, while it plays on.
  now() {
    this.model.comment(this.player.cursorS);
  }

  mark(kind) {
    const { current } = this.model;
    if (!current || current.tier === COMMENTS) return;
    const isOn = !(kind in current.marks);
    this.model.mark(kind, isOn);
    if (isOn && WITH_SOUND.includes(kind)) this.heard.focus({ preventScroll: true });
    else this.lane.root.focus({ preventScroll: true });
  }

  setHeard(symbol) {
    const kind = this.kindWithSound();
    if (kind) this.model.mark(kind, true, symbol);
  }

  rename() {
    this.label.value = this.model.current?.label ?? "";
    this.label.focus();
    this.label.select();
  }

  setLabel(text) {
    if (this.model.current && text !== this.model.current.label) this.model.with({ label: text.trim() });
  }

  // Enter and Escape give the keys back to the tiers.
  leave(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.label.value = this.model.current?.label ?? "";
    this.lane.root.focus({ preventScroll: true });
  }

  // What each key does; but for the first they work while the tiers are there.
  acts() {
    const acts = {
      L: () => this.rename(), S: () => this.split(), M: () => this.merge(), A: () => this.add(), D: () => this.remove(),
      U: () => this.tier_undo(), Y: () => this.tier_redo(), C: () => this.comment(), N: () => this.now(), B: () => this.play(),
      Delete: () => this.remove(),
    };
    for (const [kind, key] of Object.entries(MARK_KEYS)) acts[key] = () => this.kinds.some((mark) => mark.key === kind) && this.mark(kind);
    const whenOpen = Object.entries(acts).map(([key, act]) => [key, () => this.isOpen && act()]);
    return { o: () => this.open(!this.isOpen), ...Object.fromEntries(whenOpen) };
  }

  dispose() {
    this.lane.dispose();
  }
}
