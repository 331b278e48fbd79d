// The segments of a recording in tiers, and what can be done with them; nothing here draws.
//
// Segments are never changed, only replaced, so that undo keeps the lists of before. `current` is the one that keys and
// buttons work on. Emits "change" (segments) and "current".

const SHORTEST_S = 0.001; // of a segment, as the server has it
const SAME_S = 0.0005; // boundaries that close are one

class TierModel extends EventTarget {
  constructor() {
    super();
    this.load([], 1, false);
  }

  // `isTouched`: the segments are this rater's own, and are saved with the rating.
  load(segments, durationS, isTouched) {
    this.durationS = durationS;
    this.isTouched = isTouched;
    this.undone = [];
    this.done = [];
    this.replace(segments, null);
    this.choose(this.of(this.tiers[0])[0] ?? null);
  }

  // Better ones to start from, unless the rater has begun.
  offer(segments) {
    if (!this.isTouched) this.load(segments, this.durationS, false);
  }

  replace(segments, current) {
    this.segments = [...segments].sort((one, other) => inTierOrder(one.tier, other.tier) || one.start_s - other.start_s);
    this.current = this.segments.includes(current) ? current : null;
    this.dispatchEvent(new Event("change"));
  }

  // Words, phones and comments always, others where there are any.
  get tiers() {
    return [...new Set([...TIER_ORDER, ...this.segments.map((segment) => segment.tier)])];
  }

  of(tier) {
    return this.segments.filter((segment) => segment.tier === tier);
  }

  choose(segment) {
    this.current = segment;
    this.dispatchEvent(new Event("current"));
  }

  // The next (1) or the one before (-1) in the tier.
  step(direction) {
    if (!this.current) return this.choose(this.segments[0] ?? null);
    const all = this.of(this.current.tier);
    const next = all[all.indexOf(this.current) + direction];
    if (next) this.choose(next);
    return undefined;
  }

  // In the tier above (-1) or below (1), the one at the same time.
  changeTier(direction) {
    const filled = this.tiers.filter((tier) => this.of(tier).length);
    const tier = filled[filled.indexOf(this.current?.tier) + direction];
    if (!tier) return;
    const middleS = this.current ? (this.current.start_s + this.current.end_s) / 2 : 0;
    const away = (segment) => Math.max(segment.start_s - middleS, middleS - segment.end_s, 0);
    this.choose(this.of(tier).reduce((best, segment) => (away(segment) < away(best) ? segment : best)));
  }

  at(tier, seconds) {
    return this.of(tier).find((segment) => seconds >= segment.start_s && seconds < segment.end_s) ?? null;
  }

  // Every edit goes through here. `isSame`: it goes on with the edit before (a drag), which is undone as one; `isMove`:
  // nothing but times is other than before.
  edit(segments, current, { isSame = false, isMove = false } = {}) {
    if (!isSame) this.done.push([this.segments, this.current]);
    this.undone = [];
    this.isTouched = true;
    Object.assign(this, { goesOn: isSame, isMove });
    this.replace(segments, current);
    Object.assign(this, { goesOn: false, isMove: false });
    this.dispatchEvent(new Event("current"));
  }

  // After a drag.
  settle() {
    this.dispatchEvent(new Event("change"));
  }

  undo() {
    this.restore(this.done, this.undone);
  }

  redo() {
    this.restore(this.undone, this.done);
  }

  restore(from, to) {
    if (!from.length) return;
    to.push([this.segments, this.current]);
    this.replace(...from.pop());
    this.dispatchEvent(new Event("current"));
  }

  with(changes, kind) {
    const { current } = this;
    if (!current) return;
    const changed = { ...current, ...changes };
    this.edit(this.segments.map((segment) => (segment === current ? changed : segment)), changed, kind);
  }

  // Move an end ("start_s", "end_s") of the current segment. Boundaries of words and phones at the same time are one and
  // move together; none passes its neighbours.
  move(end, toS, isSame = false) {
    const { current } = this;
    if (!current) return;
    if (current.tier === COMMENTS) {
      const seconds = this.freeMoment(toS, current);
      if (seconds !== null) this.with({ start_s: seconds, end_s: seconds }, { isSame });
      return;
    }
    const fromS = current[end];
    const isOne = (segment, name) => segment.tier !== COMMENTS && Math.abs(segment[name] - fromS) < SAME_S
      && (TIER_ORDER.includes(segment.tier) === TIER_ORDER.includes(current.tier));
    const tiersWith = (name) => new Set(this.segments.filter((segment) => isOne(segment, name)).map((segment) => segment.tier));
    const [starting, ending] = [tiersWith("start_s"), tiersWith("end_s")];
    let lowS = 0;
    let highS = this.durationS;
    for (const segment of this.segments) {
      if (isOne(segment, "end_s")) lowS = Math.max(lowS, segment.start_s + SHORTEST_S);
      else if (starting.has(segment.tier) && segment.end_s <= fromS) lowS = Math.max(lowS, segment.end_s);
      if (isOne(segment, "start_s")) highS = Math.min(highS, segment.end_s - SHORTEST_S);
      else if (ending.has(segment.tier) && segment.start_s >= fromS) highS = Math.min(highS, segment.start_s);
    }
    if (lowS > highS) return;
    const seconds = rounded(clamped(toS, lowS, highS));
    let chosen = current;
    const moved = this.segments.map((segment) => {
      const changes = {};
      if (isOne(segment, "end_s")) changes.end_s = seconds;
      if (isOne(segment, "start_s")) changes.start_s = seconds;
      if (!Object.keys(changes).length) return segment;
      const changed = { ...segment, ...changes };
      if (segment === current) chosen = changed;
      return changed;
    });
    this.edit(moved, chosen, { isSame, isMove: true });
  }

  // At `atS`, or in the middle where that is outside. The rest after the cut stands for nothing of the text yet; of a
  // phone, for a sound that was added to the word.
  split(atS) {
    const { current } = this;
    if (!current || current.tier === COMMENTS || current.end_s - current.start_s < 2 * SHORTEST_S) return false;
    const isInside = atS - current.start_s >= SHORTEST_S && current.end_s - atS >= SHORTEST_S;
    const seconds = rounded(isInside ? atS : (current.start_s + current.end_s) / 2);
    const first = { ...current, end_s: seconds };
    const word = current.tier === "phones" ? current.word : null;
    const rest = { ...current, start_s: seconds, label: "", word, phone: null, marks: {} };
    this.edit(this.segments.flatMap((segment) => (segment === current ? [first, rest] : [segment])), rest);
    return true;
  }

  // With the next one of the tier.
  merge() {
    const all = this.current ? this.of(this.current.tier) : [];
    const next = all[all.indexOf(this.current) + 1];
    if (!next || next.tier === COMMENTS) return false;
    const label = [this.current.label, next.label].filter(Boolean).join(" ");
    const marks = next.word === null ? { ...next.marks, ...this.current.marks } : this.current.marks;
    const merged = { ...this.current, end_s: next.end_s, label, marks };
    this.edit(this.segments.filter((segment) => segment !== next).map((segment) => (segment === this.current ? merged : segment)), merged);
    return true;
  }

  remove() {
    const { current } = this;
    if (!current) return;
    const all = this.of(current.tier);
    const place = all.indexOf(current);
    this.edit(this.segments.filter((segment) => segment !== current), all[place + 1] ?? all[place - 1] ?? null);
  }

  // Where there is room in the tier: from `fromS` to `toS`, no further than the next one. Whether there was.
  add(tier, fromS, toS) {
    if (tier === COMMENTS) return this.comment(fromS);
    if (this.at(tier, fromS)) return false;
    const next = this.of(tier).find((segment) => segment.start_s >= fromS);
    const endS = Math.min(toS, next ? next.start_s : this.durationS);
    if (endS - fromS < SHORTEST_S) return false;
    const phoneOf = tier === "phones" ? this.at("words", (fromS + endS) / 2)?.word ?? null : null;
    const added = { tier, start_s: rounded(fromS), end_s: rounded(endS), label: "", word: phoneOf, phone: null, marks: {} };
    this.edit([...this.segments, added], added);
    return true;
  }

  comment(atS) {
    const seconds = this.freeMoment(atS, null);
    if (seconds === null) return false;
    const added = { tier: COMMENTS, start_s: seconds, end_s: seconds, label: "", word: null, phone: null, marks: {} };
    this.edit([...this.segments, added], added);
    return true;
  }

  // Null where another comment is at that moment.
  freeMoment(atS, except) {
    const seconds = rounded(clamped(atS, 0, this.durationS));
    const isTaken = this.of(COMMENTS).some((other) => other !== except && Math.abs(other.start_s - seconds) < SHORTEST_S);
    return isTaken ? null : seconds;
  }

  // A mark on the current segment on or off; `heard` is what was said instead. Comments have no marks.
  mark(kind, isOn, heard = "") {
    if (!this.current || this.current.tier === COMMENTS) return;
    const { [kind]: _before, ...others } = this.current.marks;
    this.with({ marks: isOn ? { ...others, [kind]: heard } : others });
  }

  // The marks of a word or sound, as they were set beside the tiers: no edit of the tiers.
  setMarksAt(word, phone, marks) {
    const named = this.named(word, phone);
    if (!named) return;
    const changed = { ...named, marks: Object.fromEntries(marks.map((mark) => [mark.kind, mark.heard])) };
    this.replace(this.segments.map((segment) => (segment === named ? changed : segment)), this.current === named ? changed : this.current);
  }

  // The segment that stands for a word (`phone` null) or a sound of it.
  named(word, phone) {
    return this.segments.find((segment) => isNamed(segment) && segment.word === word && segment.phone === phone) ?? null;
  }
}

// Whether it stands for a word or a sound of the text: an added sound has a word alone.
function isNamed(segment) {
  if (segment.word === null) return false;
  return segment.tier === "words" || (segment.tier === "phones" && segment.phone !== null);
}

function rounded(seconds) {
  return Math.round(seconds * 1e6) / 1e6;
}

// As the server sends a segment: what is empty may be missing.
function whole(segment) {
  return { tier: segment.tier, start_s: segment.start_s, end_s: segment.end_s, label: segment.label ?? "", word: segment.word ?? null, phone: segment.phone ?? null, marks: segment.marks ?? {} };
}
