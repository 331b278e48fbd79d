// The player: one recording (and its reference, where there is one) to see and to hear.
//
// Other parts build on `viewport` (which part is in view), `selection`, `cursorS`, `playSpan`, `addLane` and the events
// "load", "cursor", "selection" and "state" (playing, loop, speed, which sound).

const SPEEDS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5];
const CELLS_PER_S = 50; // how finely it is kept what was heard
const ZOOM_STEP = 1.5;
const SCROLL_SHARE = 0.25; // of what is in view, a key press
const NEARLY_END_S = 0.01;
const SHORTEST_SELECTION_S = 0.001;

class Player extends EventTarget {
  constructor(strings) {
    super();
    this.strings = strings;
    this.viewport = new Viewport();
    this.selection = null;
    this.cursorS = 0;
    this.looping = false;
    this.pendingStartS = null;
    this.heard = new Uint8Array(1);
    this.speed = 1;
    this.playback = new Playback((fromS, toS) => this.moved(fromS, toS), () => this.stateChanged());
    this.pictures = new Pictures(this, strings);
    this.lanes = element("div", { class: "lanes" }, this.pictures.canvas);
    this.lanes.addEventListener("wheel", (event) => this.pictures.wheel(event), { passive: false });
    this.toolbar = new Toolbar(this, strings);
    this.root = element("div", { class: "player", role: "group", tabindex: -1, "aria-label": strings.player }, this.lanes, this.toolbar.root);
  }

  // Put a lane (an element) below the pictures; it draws itself from `viewport` and the events.
  addLane(lane) {
    this.lanes.append(lane);
  }

  load(data) {
    this.playback.release();
    this.sounds = { recording: new Sound(data.wav) };
    this.heard = new Uint8Array(Math.max(1, Math.floor(this.sounds.recording.durationS * CELLS_PER_S)));
    this.show("recording");
  }

  // Show one of the sounds from its start.
  show(name) {
    this.showing = name;
    this.cursorS = 0;
    this.selection = null;
    this.pendingStartS = null;
    this.looping = false;
    this.viewport.reset(this.durationS);
    this.pictures.show(this.sound.samples, this.sound.rateHz);
    this.playback.open(this.sound, 0, this.durationS, false);
    this.emit("load");
  }

  dispose() {
    this.playback.dispose();
    this.pictures.dispose();
  }

  emit(name) {
    this.pictures.move();
    this.toolbar.update();
    this.dispatchEvent(new Event(name));
  }

  get sound() {
    return this.sounds?.[this.showing];
  }

  get durationS() {
    return this.sound?.durationS ?? 0;
  }

  get isPlaying() {
    return this.playback.isPlaying;
  }

  // Which share of the recording was played at least once, 0 to 1.
  get heardShare() {
    return this.heard.reduce((sum, cell) => sum + cell, 0) / this.heard.length;
  }

  moved(fromS, toS) {
    if (this.showing === "recording") this.heard.fill(1, Math.floor(fromS * CELLS_PER_S), Math.ceil(toS * CELLS_PER_S));
    this.cursorS = toS;
    this.viewport.reveal(toS);
    this.emit("cursor");
  }

  stateChanged() {
    this.emit("state");
  }

  toggle() {
    if (this.isPlaying) this.playback.pause();
    else this.play();
  }

  // From the cursor on; of a selection, only that.
  play() {
    const { fromS, toS } = this.selection ?? { fromS: 0, toS: this.durationS };
    if (this.cursorS < fromS || this.cursorS >= toS - Math.min(NEARLY_END_S, (toS - fromS) / 2)) this.cursorS = fromS;
    this.viewport.reveal(this.cursorS);
    return this.playback.play(this.sound, fromS, toS, this.cursorS, this.looping);
  }

  replay() {
    this.cursorS = this.selection ? this.selection.fromS : 0;
    this.play();
  }

  // A stretch once, whatever is selected: an interval of a tier, for example.
  playSpan(fromS, toS) {
    this.cursorS = fromS;
    this.viewport.reveal(fromS);
    return this.playback.play(this.sound, fromS, toS, fromS, false);
  }

  // To a second; outside of the selection that lets go of it.
  seek(seconds) {
    const wasPlaying = this.isPlaying;
    this.playback.pause();
    this.cursorS = clamped(seconds, 0, this.durationS);
    if (this.selection && (this.cursorS < this.selection.fromS || this.cursorS > this.selection.toS)) this.clearSelection();
    this.emit("cursor");
    if (wasPlaying) this.play();
  }

  setSpeed(step) {
    const index = SPEEDS.indexOf(this.speed);
    this.speed = SPEEDS[clamped(index + step, 0, SPEEDS.length - 1)];
    this.playback.speed = this.speed;
    this.emit("state");
  }

  markStart() {
    this.pendingStartS = this.cursorS;
    this.emit("selection");
  }

  markEnd() {
    const fromS = this.pendingStartS ?? 0;
    if (this.cursorS > fromS + SHORTEST_SELECTION_S) this.select(fromS, this.cursorS);
  }

  // A selection loops until the loop is turned off; while it plays, what plays follows it.
  select(fromS, toS) {
    const [startS, endS] = [clamped(fromS, 0, this.durationS), clamped(toS, 0, this.durationS)];
    if (endS - startS < SHORTEST_SELECTION_S) return;
    if (!this.selection) this.looping = true;
    this.selection = { fromS: startS, toS: endS };
    this.pendingStartS = null;
    this.replaySoon();
    this.emit("selection");
  }

  // Once a dragged selection has come to rest.
  replaySoon() {
    if (!this.isPlaying) return;
    clearTimeout(this.replayTimer);
    this.replayTimer = setTimeout(() => this.isPlaying && this.play(), 150);
  }

  clearSelection() {
    this.selection = null;
    this.pendingStartS = null;
    this.looping = false;
    this.emit("selection");
  }

  toggleLoop() {
    this.looping = !this.looping;
    if (this.isPlaying) this.play();
    this.emit("state");
  }

  // Where a zoom holds on to: the middle of the selection, else the cursor, else the middle of what is in view.
  get focusS() {
    const { fromS, toS } = this.viewport;
    const seconds = this.selection ? (this.selection.fromS + this.selection.toS) / 2 : this.cursorS;
    return seconds >= fromS && seconds <= toS ? seconds : (fromS + toS) / 2;
  }

  zoom(steps) {
    this.viewport.zoom(ZOOM_STEP ** steps, this.focusS);
  }

  zoomToSelection() {
    if (this.selection) this.viewport.show(this.selection.fromS, this.selection.toS);
    else this.zoom(4);
  }

  scroll(direction) {
    this.viewport.scroll(direction * SCROLL_SHARE * this.viewport.spanS);
  }

  // What each key does.
  acts() {
    return {
      " ": () => this.toggle(), h: () => this.replay(), a: () => this.markStart(), b: () => this.markEnd(), l: () => this.toggleLoop(),
      ",": () => this.setSpeed(-1), ".": () => this.setSpeed(1), "+": () => this.zoom(1), "=": () => this.zoom(1), "-": () => this.zoom(-1),
      n: () => this.zoomToSelection(), e: () => this.viewport.fit(),
      "Shift+ArrowLeft": () => this.scroll(-1), "Shift+ArrowRight": () => this.scroll(1),
    };
  }
}
