// The player: one recording (and its reference, where there is one) to see and to hear.
//
// Other parts build on `viewport` (which part is in view), `selection`, `cursorS`, `playSpan`, `addLane` and the events
// "load", "cursor", "selection" and "state" (playing, loop, speed, which sound).

const CELLS_PER_S = 50; // how finely it is kept what was heard
const ZOOM_STEP = 1.5;
const SCROLL_SHARE = 0.25; // of what is in view, a key press
const STEP_SHARE = 0.01;
const NEARLY_END_S = 0.01;
const SHORTEST_SELECTION_S = 0.001;

class Player extends EventTarget {
  // `onWant(ceilingHz)` asks the server for tracks measured with that formant ceiling, 0 for none.
  constructor(strings, person, onWant) {
    super();
    this.strings = strings;
    this.settings = settingsOf(person);
    this.onWant = onWant;
    this.viewport = new Viewport();
    this.selection = null;
    this.cursorS = 0;
    this.looping = false;
    this.pendingStartS = null;
    this.heard = new Uint8Array(1);
    this.playback = new Playback((fromS, toS) => this.moved(fromS, toS), () => this.emit("state"));
    this.pictures = new Pictures(this, strings, (pointer) => this.readout.update(pointer));
    this.readout = new Readout(this, strings);
    this.badge = element("div", { class: "badge", hidden: "" }, strings.reference);
    this.lanes = element("div", { class: "lanes" }, this.pictures.canvas, this.readout.root, this.badge);
    this.other = new OtherSound(this, strings);
    for (const lanes of [this.lanes, this.other.root]) {
      lanes.addEventListener("wheel", (event) => this.pictures.wheel(event), { passive: false });
    }
    this.toolbar = new Toolbar(this, strings);
    this.panel = new SettingsPanel(this.settings, strings, () => this.closeSettings());
    this.root = element(
      "div", { class: "player", role: "group", tabindex: -1, "aria-label": strings.player },
      this.lanes, new Scrollbar(this.viewport).root, this.other.root, element("div", { class: "controls" }, this.toolbar.root, this.panel.root),
    );
    this.viewport.onChange(() => this.toolbar.update());
    this.onSettings = () => this.applySettings();
    this.settings.addEventListener("change", this.onSettings);
    this.applySettings();
  }

  // Put a lane (an element) below the pictures; it draws itself from `viewport` and the events.
  addLane(lane) {
    this.lanes.append(lane);
  }

  // `data` has `wav`, and where there is a reference recording, `reference`; tracks come now or later (`showTracks`).
  load(data) {
    this.playback.release();
    this.sounds = { recording: new Sound(data.wav), reference: data.reference ? new Sound(data.reference) : null };
    this.heard = new Uint8Array(Math.max(1, Math.floor(this.sounds.recording.durationS * CELLS_PER_S)));
    this.selection = null;
    this.looping = false;
    this.pendingStartS = null;
    this.askedCeilingHz = 0;
    this.show("recording", 0);
    this.viewport.reset(this.durationS);
    this.playback.open(this.sound, 0, this.durationS, false);
    this.showTracks(data.tracks);
    this.emit("load");
  }

  // `tracks` has the server's tracks of `recording` and `reference`, and the ceiling they were measured with.
  showTracks(tracks) {
    for (const [name, sound] of Object.entries(this.sounds)) if (sound) sound.tracks = tracks?.[name] ?? null;
    this.pictures.showTracks(this.sound.tracks);
    this.other.show();
    this.readout.update(null);
    if (tracks) this.askedCeilingHz = tracks.ceiling_hz;
    this.askForTracks();
  }

  // Once for a recording, when what is to be shown is not what was measured.
  askForTracks() {
    const { wantedCeilingHz } = this.settings;
    if (!this.sounds || this.askedCeilingHz === wantedCeilingHz) return;
    this.askedCeilingHz = wantedCeilingHz;
    this.onWant(wantedCeilingHz);
  }

  show(name, cursorS) {
    this.showing = name;
    this.cursorS = cursorS;
    this.badge.hidden = name !== "reference";
    this.root.classList.toggle("shows-reference", name === "reference");
    this.pictures.show(this.sound);
  }

  // Between the recording and its reference, at the same relative place, playing on if it plays.
  switchSound() {
    const other = this.showing === "recording" ? "reference" : "recording";
    if (!this.sounds?.[other]) return;
    const wasPlaying = this.isPlaying;
    this.playback.pause();
    const { sound, viewport, selection, cursorS } = this;
    const place = (seconds) => sound.inOther(this.sounds[other], seconds);
    const view = { isWhole: viewport.isWhole, fromS: place(viewport.fromS), toS: place(viewport.toS) };
    if (selection) this.selection = { fromS: place(selection.fromS), toS: place(selection.toS) };
    this.show(other, place(cursorS));
    viewport.reset(this.durationS);
    if (!view.isWhole) viewport.show(view.fromS, view.toS);
    this.other.show();
    if (wasPlaying) this.play();
    this.emit("state");
  }

  applySettings() {
    this.playback.speed = this.settings.get("speed");
    this.playback.volume = this.settings.get("volume");
    this.pictures.applySettings();
    this.other.applySettings();
    this.askForTracks();
    this.readout.update(null);
    this.toolbar.update();
  }

  // Who opened them from the toolbar by keyboard finds the focus there again; else keys belong to the player.
  toggleSettings(isFromToolbar) {
    if (this.panel.isOpen) return this.closeSettings();
    this.returnsToToolbar = isFromToolbar;
    this.panel.toggle(true);
    return this.toolbar.update();
  }

  closeSettings() {
    this.panel.toggle(false);
    if (this.returnsToToolbar) this.toolbar.part("settings").focus();
    else this.focus();
    this.toolbar.update();
  }

  // What Escape closes or lets go of; whether there was anything.
  escape() {
    if (this.panel.isOpen) this.closeSettings();
    else if (this.selection || this.pendingStartS !== null) this.clearSelection();
    else return false;
    return true;
  }

  focus() {
    this.root.focus({ preventScroll: true });
  }

  dispose() {
    this.settings.removeEventListener("change", this.onSettings);
    this.playback.dispose();
    this.pictures.dispose();
    this.other.dispose();
  }

  emit(name) {
    this.pictures.move();
    this.other.move();
    this.toolbar.update();
    if (name === "cursor") this.readout.update(null);
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
    const wasInView = this.cursorS >= this.viewport.fromS && this.cursorS <= this.viewport.toS;
    this.cursorS = toS;
    if (wasInView) this.viewport.reveal(toS); // who scrolled away while it plays is left there
    this.emit("cursor");
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
    if (this.isPlaying) this.play(); // on, beyond what was selected
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

  toggleSetting(name) {
    this.settings.set(name, !this.settings.get(name));
  }

  // By a hundredth of what is in view: the closer one looks, the finer.
  step(direction) {
    this.seek(this.cursorS + direction * STEP_SHARE * this.viewport.spanS);
    this.viewport.reveal(this.cursorS);
  }

  // What each key does.
  acts() {
    return {
      " ": () => this.toggle(), h: () => this.replay(), a: () => this.markStart(), b: () => this.markEnd(), l: () => this.toggleLoop(),
      ",": () => this.settings.step("speed", -1), ".": () => this.settings.step("speed", 1), r: () => this.switchSound(), c: () => this.toggleSetting("beside"), "+": () => this.zoom(1), "=": () => this.zoom(1), "-": () => this.zoom(-1),
      n: () => this.zoomToSelection(), e: () => this.viewport.fit(),
      "<": () => this.step(-1), ">": () => this.step(1),
      "Shift+ArrowLeft": () => this.scroll(-1), "Shift+ArrowRight": () => this.scroll(1),
      d: () => this.settings.set("amplitude", this.settings.get("amplitude") === "db" ? "linear" : "db"),
      g: () => this.settings.set("windowMs", this.settings.get("windowMs") > BROAD_MS ? BROAD_MS : NARROW_MS),
      p: () => this.toggleSetting("pitch"), t: () => this.toggleSetting("formants"), i: () => this.toggleSetting("intensity"),
      v: () => this.toggleSettings(false),
    };
  }
}
