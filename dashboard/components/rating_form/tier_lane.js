// Draws the tiers below the pictures, on the same axis of time: intervals to click, boundaries to drag.

const TIER_DRAG_PX = 3; // less is a click
const TIER_LINE_PX = 2;

class TierLane {
  constructor(player, model, strings) {
    this.player = player;
    this.model = model;
    this.strings = strings;
    this.ipa = {};
    this.markNames = {};
    this.boxes = new Map();
    this.cursor = element("div", { class: "tier-cursor" });
    this.rows = element("div", {});
    this.root = element(
      "div", { class: "tiers", role: "listbox", tabindex: 0, "aria-label": strings.tiers, "aria-orientation": "horizontal", hidden: "" },
      this.rows, this.cursor,
    );
    player.addLane(this.root);
    this.stopView = player.viewport.onChange(() => this.place());
    for (const name of ["cursor", "selection", "state", "load"]) player.addEventListener(name, () => this.follow());
    model.addEventListener("change", () => this.draw());
    model.addEventListener("current", () => this.showCurrent());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.listen();
  }

  // The arrows move between segments, with Shift they move a boundary of the current one.
  key(event) {
    const { model } = this;
    const steps = {
      ArrowLeft: () => model.step(-1), ArrowRight: () => model.step(1), ArrowUp: () => model.changeTier(-1), ArrowDown: () => model.changeTier(1),
      Home: () => this.onEnd("start_s"), End: () => this.onEnd("end_s"), Escape: () => this.root.blur(),
    };
    const nudges = { ArrowLeft: -0.005, ArrowRight: 0.005, ArrowDown: -0.001, ArrowUp: 0.001 };
    if (event.target !== this.root || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.shiftKey && event.key in nudges) this.onNudge(nudges[event.key]);
    else if (!event.shiftKey && event.key in steps) {
      steps[event.key]();
      if (model.current) this.player.viewport.reveal(model.current.start_s);
    } else return;
    event.preventDefault();
  }

  draw() {
    if (this.root.hidden) return;
    if (this.model.isMove && this.boxes.size === this.model.segments.length) {
      this.boxes = new Map([...this.boxes.values()].map((box, place) => [this.model.segments[place], box]));
      this.place();
      return;
    }
    const numbers = new Map(this.model.segments.map((segment, number) => [segment, number]));
    const rows = this.model.tiers.filter((tier) => tier !== COMMENTS || this.model.of(tier).length).map((tier) => {
      const row = element("div", { class: "tier", role: "group", "aria-label": this.strings.tier_names[tier] ?? tier, "data-tier": tier });
      row.append(...this.model.of(tier).map((segment) => this.box(segment, numbers.get(segment))));
      return row;
    });
    this.rows.replaceChildren(...rows);
    this.boxes = new Map([...this.rows.querySelectorAll(".segment")].map((box, place) => [this.model.segments[place], box]));
    this.place();
    this.showCurrent();
  }

  box(segment, number) {
    const box = segmentBox(segment, `segment-${number}`);
    if (segment.tier !== COMMENTS) {
      box.append(...["start_s", "end_s"].map((end) => element("span", { class: "boundary", "data-end": end, "aria-hidden": "true" })));
    }
    return box;
  }

  // Written where it is read: hundreds of them take their time.
  describe(box, segment) {
    const text = segmentInWords(segment, this.strings, this.markNames, this.ipa);
    box.setAttribute("aria-label", text);
    box.title = text;
  }

  place() {
    placeSegments(this.boxes, this.player.viewport);
    this.follow();
  }

  // The cursor, and nothing at all while the reference is shown, which has other times.
  follow() {
    const { player } = this;
    this.rows.classList.toggle("elsewhere", player.showing === "reference");
    this.cursor.style.transform = `translateX(${player.viewport.toX(player.cursorS)}px)`;
    this.cursor.hidden = player.cursorS < player.viewport.fromS || player.cursorS > player.viewport.toS;
  }

  showCurrent() {
    for (const [segment, box] of this.boxes) {
      const isCurrent = segment === this.model.current;
      box.setAttribute("aria-selected", String(isCurrent));
      if (!isCurrent) continue;
      this.describe(box, segment);
      this.root.setAttribute("aria-activedescendant", box.id);
    }
    if (!this.model.current) this.root.removeAttribute("aria-activedescendant");
    this.onCurrent?.();
  }

  segmentOf(box) {
    return [...this.boxes].find(([, other]) => other === box)[0];
  }

  secondsAt(event) {
    return this.player.viewport.toSeconds(event.clientX - this.rows.getBoundingClientRect().left);
  }

  // The line between two segments belongs to no handle: it is the box's own.
  lineAt(event, box) {
    const { left, right } = box.getBoundingClientRect();
    if (event.clientX - left < TIER_LINE_PX) return "start_s";
    return right - event.clientX < TIER_LINE_PX ? "end_s" : null;
  }

  listen() {
    let drag = null;
    this.rows.addEventListener("pointerdown", (event) => {
      const box = event.target.closest(".segment");
      if (event.button || !box) return;
      const segment = this.segmentOf(box);
      const end = segment.tier === COMMENTS ? "start_s" : event.target.closest(".boundary")?.dataset.end ?? this.lineAt(event, box);
      this.root.focus({ preventScroll: true });
      event.preventDefault();
      this.model.choose(segment);
      if (end) this.onEnd(end);
      drag = { end, x: event.clientX, isMoved: false };
      this.rows.setPointerCapture(event.pointerId);
    });
    this.rows.addEventListener("pointermove", (event) => {
      if (!drag?.end || (!drag.isMoved && Math.abs(event.clientX - drag.x) < TIER_DRAG_PX)) return;
      this.model.move(drag.end, this.secondsAt(event), drag.isMoved);
      drag.isMoved = true;
    });
    const drop = (event) => {
      if (drag?.isMoved) this.model.settle();
      else if (drag && event.type === "pointerup") this.onPlay();
      drag = null;
    };
    this.rows.addEventListener("pointerup", drop);
    this.rows.addEventListener("pointercancel", drop);
    this.rows.addEventListener("pointerover", (event) => {
      const box = event.target.closest(".segment");
      if (box) this.describe(box, this.segmentOf(box));
    });
    this.rows.addEventListener("dblclick", () => this.onRename());
  }

  dispose() {
    this.stopView();
  }
}
