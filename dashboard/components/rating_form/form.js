// The rating form: no default, values only by an explicit act, a draft that survives a reload.

class Form {
  constructor(root, strings, onChange) {
    this.root = root;
    this.strings = strings;
    this.onChange = onChange;
  }

  show(data) {
    this.rubric = data.rubric;
    this.single = data.rubric.dimensions.length === 1;
    this.words = data.words || [];
    this.draftKey = `pronlab-draft:${data.evaluator}:${data.item}`;
    this.values = {};
    this.marks = [];
    this.current = 0;
    this.word = -1;
    const before = this.readDraft() || data.previous || {};
    for (const dimension of this.rubric.dimensions) {
      const value = this.single ? before.score : (before.dimensions || {})[dimension.key];
      if (value !== undefined && value !== null) this.values[dimension.key] = value;
    }
    this.marks = (before.marks || []).map((mark) => ({ ...mark }));
    this.build();
    this.notes.value = before.notes || "";
    this.tiers.show(data, before);
    this.refresh();
  }

  readDraft() {
    try {
      return JSON.parse(localStorage.getItem(this.draftKey) || "null");
    } catch {
      return null;
    }
  }

  keepDraft() {
    localStorage.setItem(this.draftKey, JSON.stringify(this.answer()));
  }

  forgetDraft(key) {
    localStorage.removeItem(key || this.draftKey);
  }

  get complete() {
    return this.rubric.dimensions.every((dimension) => dimension.key in this.values);
  }

  answer() {
    const answer = { notes: this.notes ? this.notes.value : "", marks: this.marks, segments: this.tiers.answer() };
    if (this.single) answer.score = this.values[this.rubric.dimensions[0].key] ?? null;
    else answer.dimensions = { ...this.values };
    return answer;
  }

  set(key, value) {
    const dimension = this.rubric.dimensions.find((entry) => entry.key === key);
    const steps = Math.round((value - dimension.low) / dimension.step);
    const kept = Math.min(dimension.high, Math.max(dimension.low, dimension.low + steps * dimension.step));
    this.values[key] = Number(kept.toFixed(2));
    this.current = this.rubric.dimensions.indexOf(dimension);
    this.changed();
  }

  clear(key) {
    delete this.values[key];
    this.changed();
  }

  nudge(steps) {
    const dimension = this.rubric.dimensions[this.current];
    const middle = (dimension.low + dimension.high) / 2;
    const value = this.values[dimension.key];
    this.set(dimension.key, value === undefined ? middle : value + steps * dimension.step);
  }

  band(number) {
    const dimension = this.rubric.dimensions[0];
    const levels = dimension.levels;
    const index = levels.length - number;
    const upper = index === 0 ? dimension.high : levels[index - 1].low;
    this.set(dimension.key, Math.round((levels[index].low + upper) / 2));
  }

  digit(number) {
    const dimension = this.rubric.dimensions[this.current];
    this.set(dimension.key, number === 0 ? 10 : number);
    if (this.current < this.rubric.dimensions.length - 1) this.current += 1;
    this.refresh();
  }

  // The lowest value by one key; in a sentence the digit 0 stands for 10, as on a keyboard's row.
  lowest() {
    const dimension = this.rubric.dimensions[this.current];
    this.set(dimension.key, dimension.low);
    if (this.current < this.rubric.dimensions.length - 1) this.current += 1;
    this.refresh();
  }

  move(step) {
    const count = this.rubric.dimensions.length;
    this.current = (this.current + step + count) % count;
    this.refresh();
  }

  nextWord() {
    if (!this.words.length) return;
    this.word = (this.word + 1) % this.words.length;
    this.refresh();
  }

  cycleMark(word, phone) {
    const kinds = this.rubric.marks.map((mark) => mark.key);
    const place = this.marks.findIndex((mark) => mark.word === word && mark.phone === phone);
    const next = place < 0 ? 0 : kinds.indexOf(this.marks[place].kind) + 1;
    if (place >= 0) this.marks.splice(place, 1);
    if (next < kinds.length) this.marks.push({ word, phone, kind: kinds[next], heard: "" });
    this.tiers.setMarksAt(word, phone, this.marks.filter((mark) => mark.word === word && mark.phone === phone));
    this.changed();
  }

  // As they stand on a segment: kinds with what was heard.
  setMarksAt(word, phone, marks) {
    const others = this.marks.filter((mark) => mark.word !== word || mark.phone !== phone);
    this.marks = [...others, ...Object.entries(marks).map(([kind, heard]) => ({ word, phone, kind, heard }))];
  }

  changed() {
    this.keepDraft();
    this.refresh();
    this.onChange();
  }

  build() {
    const area = this.root.querySelector('[data-part="form"]');
    area.replaceChildren();
    const { dimensions } = this.rubric;
    if (this.single) area.append(this.buildScore(dimensions[0]));
    else area.append(element("div", { class: "rows" }, ...dimensions.map((dimension) => this.buildRow(dimension))));
    if (this.words.length) area.append(this.buildWords());
    this.notes = element("textarea", { class: "notes", rows: 1, "aria-label": this.strings.notes, placeholder: this.strings.notes_hint, maxlength: 5000 });
    this.notes.addEventListener("input", () => this.keepDraft());
    area.append(this.notes);
  }

  buildScore(dimension) {
    const box = element("div", { class: "score" });
    this.number = element("input", {
      type: "number", min: dimension.low, max: dimension.high, step: dimension.step, placeholder: "–", "aria-label": this.strings.score,
    });
    this.number.addEventListener("input", () => {
      const value = this.number.valueAsNumber;
      if (Number.isFinite(value) && value >= dimension.low && value <= dimension.high) this.set(dimension.key, value);
      else this.clear(dimension.key);
    });
    this.slider = element("input", {
      type: "range", min: dimension.low, max: dimension.high, step: dimension.step, "aria-label": this.strings.slider,
    });
    this.slider.addEventListener("input", () => this.set(dimension.key, this.slider.valueAsNumber));
    const bands = element("div", { class: "bands", role: "group", "aria-label": this.strings.bands });
    dimension.levels.forEach((level, index) => {
      const upper = index === 0 ? dimension.high : dimension.levels[index - 1].low - 1;
      const key = dimension.levels.length - index;
      const button = element("button", { type: "button", class: `band band-${key}`, "data-low": level.low });
      button.append(
        element("kbd", {}, String(key)), element("b", {}, level.label),
        element("small", {}, `${level.low}–${upper}`, element("span", { class: "meaning" }, ` · ${level.meaning}`)),
      );
      button.addEventListener("click", () => this.band(key));
      bands.prepend(button);
    });
    box.append(element("div", { class: "value" }, this.number, this.slider), bands);
    return box;
  }

  buildRow(dimension) {
    const row = element("div", { class: "row", "data-dimension": dimension.key });
    const choices = element("div", { class: "choices", role: "radiogroup", "aria-label": dimension.label });
    for (let value = dimension.low; value <= dimension.high; value += 1) {
      const button = element("button", { type: "button", role: "radio", "data-value": value }, String(value));
      button.addEventListener("click", () => this.set(dimension.key, value));
      choices.append(button);
    }
    row.append(
      element("div", { class: "row-head" }, element("b", {}, dimension.label), element("output", {})),
      choices, element("small", { class: "level" }),
    );
    return row;
  }

  buildWords() {
    const list = element("div", { class: "words", role: "group", "aria-label": this.strings.marks });
    this.words.forEach((word, index) => {
      const chip = element("button", { type: "button", class: "chip", "data-word": index }, word.text.toLowerCase());
      chip.addEventListener("click", () => this.cycleMark(index, null));
      const phones = (word.phones || []).map((phone, place) => {
        const small = element("button", { type: "button", class: "phone", "data-word": index, "data-phone": place }, phone.replace(/\d/, ""));
        small.addEventListener("click", () => this.cycleMark(index, place));
        return small;
      });
      list.append(element("span", { class: "word" }, chip, element("span", { class: "phones" }, ...phones)));
    });
    return element("details", { open: "", class: "marks-of-words" }, element("summary", {}, this.strings.marks_hint), list);
  }

  refresh() {
    if (this.single) this.refreshScore();
    else this.refreshRows();
    const names = Object.fromEntries(this.rubric.marks.map((mark) => [mark.key, mark.label]));
    for (const chip of this.root.querySelectorAll("[data-word]")) {
      const phone = chip.dataset.phone === undefined ? null : Number(chip.dataset.phone);
      const mark = this.marks.find((entry) => entry.word === Number(chip.dataset.word) && entry.phone === phone);
      chip.dataset.kind = mark ? mark.kind : "";
      chip.title = mark ? names[mark.kind] : this.strings.no_mark;
      chip.classList.toggle("here", phone === null && Number(chip.dataset.word) === this.word);
    }
  }

  refreshScore() {
    const dimension = this.rubric.dimensions[0];
    const value = this.values[dimension.key];
    if (document.activeElement !== this.number && this.root.activeElement !== this.number) this.number.value = value ?? "";
    this.slider.value = value ?? (dimension.low + dimension.high) / 2;
    this.slider.classList.toggle("untouched", value === undefined);
    const level = value === undefined ? null : dimension.levels.find((entry) => value >= entry.low);
    for (const button of this.root.querySelectorAll(".band")) {
      button.setAttribute("aria-pressed", String(level !== null && Number(button.dataset.low) === level.low));
    }
  }

  refreshRows() {
    this.rubric.dimensions.forEach((dimension, index) => {
      const row = this.root.querySelector(`[data-dimension="${dimension.key}"]`);
      const value = this.values[dimension.key];
      row.classList.toggle("current", index === this.current);
      row.querySelector("output").textContent = value === undefined ? "–" : formatted(this.strings.language, value, Number.isInteger(value) ? 0 : 1);
      const level = value === undefined ? null : dimension.levels.find((entry) => value >= entry.low);
      row.querySelector(".level").textContent = level ? `${level.label}: ${level.meaning}` : this.strings.not_rated;
      for (const button of row.querySelectorAll("[data-value]")) {
        button.setAttribute("aria-checked", String(value !== undefined && Math.floor(value) === Number(button.dataset.value)));
      }
    });
  }
}
