// The rating form: no default, values only by an explicit act, a draft that survives a reload.

const MOST_CHOICES = 11; // buttons in a row; the values between them by the keys j and k

// The highest value of the level with this index; the highest level comes first.
function highestOf(dimension, index) {
  return index === 0 ? dimension.high : Number((dimension.levels[index - 1].low - dimension.step).toFixed(3));
}

// The values that have a button: all of them, or those at a round distance.
function choicesOf(dimension) {
  const steps = Math.round((dimension.high - dimension.low) / dimension.step);
  const spacing = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((n) => steps % n === 0 && steps / n < MOST_CHOICES) || steps;
  return Array.from({ length: steps / spacing + 1 }, (_, n) => Number((dimension.low + n * spacing * dimension.step).toFixed(3)));
}

function decimalsOf(value) {
  return Math.min(3, (String(value).split(".")[1] || "").length);
}

// What a form without tiers has in their place.
const NO_TIERS = { show() {}, answer: () => [], setMarksAt() {} };

class Form {
  constructor(root, strings, onChange) {
    this.tiers = NO_TIERS;
    this.root = root;
    this.strings = strings;
    this.onChange = onChange;
  }

  show(data) {
    this.rubric = data.rubric;
    this.single = data.rubric.dimensions.length === 1;
    this.words = data.words || [];
    this.language = data.language;
    this.draftKey = `pronlab-draft:${data.evaluator}:${data.item}`;
    this.values = {};
    this.marks = [];
    this.current = 0;
    this.word = -1;
    const before = this.readDraft(data.rubric.reference) || data.previous || {};
    for (const dimension of this.rubric.dimensions) {
      const value = (before.dimensions || {})[dimension.key];
      if (value !== undefined && value !== null) this.values[dimension.key] = value;
    }
    this.marks = (before.marks || []).map((mark) => ({ ...mark }));
    this.build();
    this.notes.value = before.notes || "";
    this.tiers.show(data, before);
    this.refresh();
  }

  // A draft with another version of the rubric is left: its values may mean something else.
  readDraft(reference) {
    try {
      const draft = JSON.parse(localStorage.getItem(this.draftKey) || "null");
      return draft && draft.rubric === reference ? draft : null;
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
    const { reference } = this.rubric;
    const notes = this.notes ? this.notes.value : "";
    return { notes, marks: this.marks, segments: this.tiers.answer(), rubric: reference, dimensions: { ...this.values } };
  }

  set(key, value) {
    const dimension = this.rubric.dimensions.find((entry) => entry.key === key);
    const steps = Math.round((value - dimension.low) / dimension.step);
    const kept = Math.min(dimension.high, Math.max(dimension.low, dimension.low + steps * dimension.step));
    this.values[key] = Number(kept.toFixed(3));
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

  // The nth level from below: the middle one of its values.
  level(dimension, number) {
    const index = dimension.levels.length - number;
    const steps = Math.round((highestOf(dimension, index) - dimension.levels[index].low) / dimension.step);
    this.set(dimension.key, dimension.levels[index].low + Math.floor((steps + 1) / 2) * dimension.step);
  }

  digit(number) {
    const dimension = this.rubric.dimensions[this.current];
    if (this.rubric.digits === "levels") {
      if (number < 1 || number > dimension.levels.length) return;
      this.level(dimension, number);
    } else {
      const value = number === 0 && dimension.high >= 10 ? 10 : number; // as on a keyboard's row
      if (value < dimension.low || value > dimension.high) return;
      this.set(dimension.key, value);
    }
    this.advance();
  }

  // The lowest value by one key, whatever the digit 0 stands for.
  lowest() {
    const dimension = this.rubric.dimensions[this.current];
    this.set(dimension.key, dimension.low);
    this.advance();
  }

  advance() {
    if (this.current < this.rubric.dimensions.length - 1) this.current += 1;
    this.refresh();
  }

  // A key of the rubric's own: to a dimension, or to a kind of mark for the chosen word.
  shortcut(target) {
    const index = this.rubric.dimensions.findIndex((dimension) => dimension.key === target);
    if (index >= 0) this.current = index;
    else if (this.word >= 0) this.toggleMark(this.word, target);
    this.refresh();
  }

  toggleMark(word, kind) {
    const place = this.marks.findIndex((mark) => mark.word === word && mark.phone === null);
    const old = place < 0 ? null : this.marks.splice(place, 1)[0];
    if (!old || old.kind !== kind) this.marks.push({ word, phone: null, kind, heard: "" });
    this.changed();
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
    if (this.words.length && this.rubric.marks.length) area.append(this.buildWords());
    this.notes = element("textarea", { class: "notes", rows: 1, "aria-label": this.strings.notes, placeholder: this.strings.notes_hint, maxlength: 5000 });
    this.notes.addEventListener("input", () => this.keepDraft());
    area.append(this.notes);
  }

  buildScore(dimension) {
    const box = element("div", { class: "score" });
    const named = filled(this.strings.score, { dimension: dimension.label, low: this.shown(dimension.low), high: this.shown(dimension.high) });
    this.number = element("input", {
      type: "number", min: dimension.low, max: dimension.high, step: dimension.step, placeholder: "–", "aria-label": named,
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
    const count = dimension.levels.length;
    const bands = element("div", { class: "bands", role: "group", "aria-label": this.strings.bands, style: `--bands: ${count}` });
    dimension.levels.forEach((level, index) => {
      const number = count - index;
      const colour = count === 1 ? 5 : Math.round(1 + (4 * (number - 1)) / (count - 1));
      const button = element("button", { type: "button", class: `band band-${colour}`, "data-low": level.low });
      const key = this.rubric.digits === "levels" && number < 10 ? [element("kbd", {}, String(number))] : [];
      button.append(
        ...key, element("b", {}, level.label),
        element("small", {}, element("span", { class: "range" }, this.range(dimension, index)), element("span", { class: "meaning" }, level.meaning)),
      );
      button.addEventListener("click", () => this.level(dimension, number));
      bands.prepend(button);
    });
    box.append(element("div", { class: "value" }, this.number, this.slider), bands);
    return box;
  }

  // Choices, and beneath them what all levels mean: to be read before anything is chosen.
  buildRow(dimension) {
    const row = element("div", { class: "row", "data-dimension": dimension.key });
    const values = choicesOf(dimension);
    const choices = element("div", { class: "choices", role: "radiogroup", "aria-label": dimension.label, style: `--choices: ${values.length}` });
    for (const value of values) {
      const level = dimension.levels.find((entry) => value >= entry.low);
      const button = element("button", { type: "button", role: "radio", "data-value": value, title: `${level.label}: ${level.meaning}` }, this.shown(value));
      button.addEventListener("click", () => this.set(dimension.key, value));
      choices.append(button);
    }
    const levels = element("ul", { class: "levels" });
    dimension.levels.forEach((level, index) => {
      levels.append(element(
        "li", { "data-low": level.low }, element("span", { class: "range" }, this.range(dimension, index)),
        element("span", {}, element("b", {}, level.label), ` ${level.meaning}`),
      ));
    });
    row.append(element("div", { class: "row-head" }, element("b", {}, dimension.label), element("output", {}, "–")), choices, levels);
    return row;
  }

  range(dimension, index) {
    const [low, high] = [dimension.levels[index].low, highestOf(dimension, index)];
    return low === high ? this.shown(low) : `${this.shown(low)}–${this.shown(high)}`;
  }

  shown(value) {
    return formatted(this.strings.language, value, decimalsOf(value));
  }

  buildWords() {
    const list = element("div", { class: "words", role: "group", "aria-label": this.strings.marks }, element("small", {}, this.strings.marks_hint));
    this.words.forEach((word, index) => {
      const chip = element("button", { type: "button", class: "chip", "data-word": index }, this.language === "tr" ? word.text.toLocaleLowerCase("tr") : word.text.toLowerCase());
      chip.addEventListener("click", () => this.cycleMark(index, null));
      const phones = (word.phones || []).map((phone, place) => {
        const small = element("button", { type: "button", class: "phone", "data-word": index, "data-phone": place }, phone.replace(/\d/, ""));
        small.addEventListener("click", () => this.cycleMark(index, place));
        return small;
      });
      list.append(element("span", { class: "word" }, chip, element("span", { class: "phones" }, ...phones)));
    });
    return list;
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
      row.querySelector("output").textContent = value === undefined ? "–" : this.shown(value);
      const level = value === undefined ? null : dimension.levels.find((entry) => value >= entry.low);
      for (const entry of row.querySelectorAll(".levels li")) {
        entry.classList.toggle("chosen", level !== null && Number(entry.dataset.low) === level.low);
      }
      const choice = value === undefined ? null : choicesOf(dimension).filter((entry) => entry <= value).at(-1);
      for (const button of row.querySelectorAll("[data-value]")) {
        button.setAttribute("aria-checked", String(Number(button.dataset.value) === choice));
      }
    });
  }
}
