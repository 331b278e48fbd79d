// What several raters segmented, below the pictures and on the same axis of time, to compare and to hear. Of each tier
// the rows of the raters lie under each other; the chosen segment's times are drawn through all of them.

class RaterTiers {
  constructor(player, strings) {
    this.player = player;
    this.strings = strings;
    this.boxes = new Map();
    this.rows = [];
    this.current = null;
    this.span = element("div", { class: "tier-span", hidden: "" });
    this.cursor = element("div", { class: "tier-cursor" });
    this.content = element("div", {});
    this.root = element(
      "div", { class: "tiers", role: "listbox", tabindex: 0, "aria-label": strings.rater_tiers, "aria-orientation": "horizontal", hidden: "" },
      this.content, this.span, this.cursor,
    );
    this.toggle = element("button", { type: "button", class: "tier-toggle", "data-part": "tiers", title: strings.rater_tiers_help }, strings.tiers);
    this.group = element("div", { class: "group", hidden: "" }, this.toggle);
    this.isOpen = true;
    this.toggle.addEventListener("click", () => this.open(!this.isOpen));
    player.addLane(this.root);
    player.toolbar.part("settings").parentElement.before(this.group);
    player.viewport.onChange(() => this.place());
    for (const name of ["cursor", "selection", "state", "load"]) player.addEventListener(name, () => this.follow());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.listen();
  }

  // `raters` has names with their segments; `markNames` what each kind of mark is called.
  show(raters, markNames) {
    const shown = JSON.stringify([raters, markNames]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.markNames = markNames;
    this.boxes.clear();
    const tiers = [...new Set(raters.flatMap(({ segments }) => segments.map(({ tier }) => tier)))].sort(inTierOrder);
    this.rows = tiers.flatMap((tier) => raters.map(({ rater, segments }) => ({ rater, tier, segments: segments.filter((segment) => segment.tier === tier) })));
    this.rows = this.rows.filter((row) => row.segments.length);
    this.content.replaceChildren(...this.rows.flatMap((row) => this.row(row)));
    this.group.hidden = !this.rows.length;
    this.open(this.isOpen);
    this.choose(null);
  }

  row(row) {
    const { tier, rater, segments } = row;
    const name = filled(this.strings.rater_tier, { tier: this.strings.tier_names[tier] ?? tier, rater });
    const lane = element("div", { class: "tier", role: "group", "aria-label": name, "data-tier": tier, "data-rater": rater });
    for (const segment of segments) {
      const box = segmentBox(segment, `rater-segment-${this.boxes.size}`);
      this.boxes.set(segment, box);
      lane.append(box);
    }
    return [element("div", { class: "tier-name", "aria-hidden": "true" }, name), lane];
  }

  open(isOpen) {
    this.isOpen = isOpen;
    this.root.hidden = !isOpen || !this.rows.length;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
    this.place();
  }

  place() {
    if (this.root.hidden) return;
    placeSegments(this.boxes, this.player.viewport);
    this.follow();
  }

  // The cursor and the chosen times, and nothing at all while the reference is shown, which has other times.
  follow() {
    const { player, current } = this;
    const { viewport } = player;
    const isElsewhere = player.showing === "reference";
    this.content.classList.toggle("elsewhere", isElsewhere);
    this.cursor.style.transform = `translateX(${viewport.toX(player.cursorS)}px)`;
    this.cursor.hidden = player.cursorS < viewport.fromS || player.cursorS > viewport.toS;
    this.span.hidden = !current || isElsewhere;
    if (!current) return;
    this.span.style.left = `${viewport.toX(current.start_s)}px`;
    this.span.style.width = `${viewport.toX(current.end_s) - viewport.toX(current.start_s)}px`;
  }

  choose(segment) {
    this.current = segment;
    for (const [other, box] of this.boxes) box.setAttribute("aria-selected", String(other === segment));
    const box = this.boxes.get(segment);
    if (box) {
      this.describe(box, segment);
      this.root.setAttribute("aria-activedescendant", box.id);
    } else this.root.removeAttribute("aria-activedescendant");
    this.follow();
  }

  describe(box, segment) {
    const { rater } = this.rows.find((row) => row.segments.includes(segment));
    box.title = `${rater}: ${segmentInWords(segment, this.strings, this.markNames)}`;
    box.setAttribute("aria-label", box.title);
  }

  play() {
    const { current, player } = this;
    if (!current || player.showing === "reference") return;
    if (current.tier === COMMENTS) player.seek(current.start_s);
    else player.playSpan(current.start_s, current.end_s);
  }

  // The arrows move between the segments of a rater, and to the other rows at the same time.
  key(event) {
    const steps = {
      ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), ArrowUp: () => this.changeRow(-1), ArrowDown: () => this.changeRow(1),
      Enter: () => this.play(), Escape: () => this.root.blur(),
    };
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !(event.key in steps)) return;
    event.preventDefault();
    steps[event.key]();
    if (!this.current) return;
    this.player.viewport.reveal(this.current.start_s);
    this.boxes.get(this.current).parentElement.scrollIntoView({ block: "nearest" }); // the row: a box may reach out of view
  }

  step(direction) {
    const row = this.rows.find(({ segments }) => segments.includes(this.current)) ?? this.rows[0];
    const next = this.current ? row.segments[row.segments.indexOf(this.current) + direction] : row.segments[0];
    if (next) this.choose(next);
  }

  changeRow(direction) {
    const row = this.rows[this.rows.findIndex(({ segments }) => segments.includes(this.current)) + direction];
    if (!this.current || !row) return this.step(0);
    const middleS = (this.current.start_s + this.current.end_s) / 2;
    const away = (segment) => Math.max(segment.start_s - middleS, middleS - segment.end_s);
    this.choose(row.segments.reduce((best, segment) => (away(segment) < away(best) ? segment : best)));
  }

  listen() {
    const segmentAt = (event) => {
      const box = event.target.closest(".segment");
      return box && [...this.boxes].find(([, other]) => other === box)[0];
    };
    this.content.addEventListener("click", (event) => {
      const segment = segmentAt(event);
      if (!segment) return;
      this.root.focus({ preventScroll: true });
      this.choose(segment);
      this.play();
    });
    this.content.addEventListener("pointerover", (event) => {
      const segment = segmentAt(event);
      if (segment) this.describe(this.boxes.get(segment), segment);
    });
  }
}
