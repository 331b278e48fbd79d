// The browser's own audio element, with exact seeking, a loop, speed, and how much was heard.

const SPEEDS = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5];

const CELLS_PER_S = 50; // how finely it is kept what was heard

class Player {
  constructor(root, canvas, strings) {
    this.root = root;
    this.strings = strings;
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.preservesPitch = true;
    this.looping = false;
    this.region = null;
    this.pendingStart_s = null;
    this.heard = new Uint8Array(1);
    this.lastTime_s = 0;
    this.url = null;
    this.pictures = new Pictures(canvas, strings, (time_s) => this.seek(time_s), (from, to) => this.setRegion(from, to));
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("ended", () => this.ended());
    for (const name of ["play", "pause", "ratechange", "seeked"]) {
      this.audio.addEventListener(name, () => this.update());
    }
    this.resize = new ResizeObserver(() => this.pictures.draw());
    this.resize.observe(canvas);
  }

  load(wav, spectrogram) {
    this.audio.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = URL.createObjectURL(new Blob([wav], { type: "audio/wav" }));
    this.audio.src = this.url;
    this.audio.playbackRate = this.speed || 1;
    this.audio.defaultPlaybackRate = this.speed || 1;
    const samples = samplesOf(wav);
    this.duration_s = samples.length / 16000;
    this.heard = new Uint8Array(Math.max(1, Math.floor(this.duration_s * CELLS_PER_S)));
    this.lastTime_s = 0;
    this.clearRegion();
    this.pictures.cursor_s = 0;
    this.pictures.show(samples, this.duration_s, spectrogram);
    this.update();
  }

  dispose() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.resize.disconnect();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  // Which share of the recording was played at least once, 0 to 1.
  get heardShare() {
    return this.heard.reduce((sum, cell) => sum + cell, 0) / this.heard.length;
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  play() {
    if (this.audio.ended || this.audio.currentTime >= this.duration_s - 0.01) {
      this.audio.currentTime = this.region ? this.region[0] : 0;
    }
    // Browsers refuse to play before the first click or key: the play button then waits for it.
    return this.audio.play().catch(() => this.update());
  }

  replay() {
    this.audio.currentTime = this.region ? this.region[0] : 0;
    this.play();
  }

  seek(time_s) {
    this.audio.currentTime = Math.min(this.duration_s, Math.max(0, time_s));
    this.lastTime_s = this.audio.currentTime;
    this.moveCursor();
  }

  setSpeed(step) {
    const index = SPEEDS.findIndex((speed) => Math.abs(speed - this.audio.playbackRate) < 0.01);
    this.speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (index < 0 ? 5 : index) + step))];
    this.audio.playbackRate = this.speed;
    this.audio.defaultPlaybackRate = this.speed;
  }

  markStart() {
    this.pendingStart_s = this.audio.currentTime;
    this.update();
  }

  markEnd() {
    const from = this.pendingStart_s ?? 0;
    if (this.audio.currentTime > from + 0.02) this.setRegion(from, this.audio.currentTime);
  }

  setRegion(from_s, to_s) {
    this.region = [from_s, to_s];
    this.pictures.region = this.region;
    this.looping = true;
    this.update();
    this.pictures.draw();
  }

  clearRegion() {
    this.region = null;
    this.pendingStart_s = null;
    this.pictures.region = null;
    this.looping = false;
    this.update();
    this.pictures.draw();
  }

  toggleLoop() {
    if (this.region && this.looping) this.clearRegion();
    else this.looping = !this.looping;
    this.update();
  }

  ended() {
    if (this.looping) this.replay();
    else this.update();
  }

  follow() {
    this.lastTime_s = this.audio.currentTime;
    const step = () => {
      const now_s = this.audio.currentTime;
      const moved_s = now_s - this.lastTime_s;
      if (moved_s > 0 && moved_s < 0.5) this.heard.fill(1, Math.floor(this.lastTime_s * CELLS_PER_S), Math.ceil(now_s * CELLS_PER_S));
      this.lastTime_s = now_s;
      if (this.looping && this.region && now_s >= this.region[1]) this.audio.currentTime = this.region[0];
      this.moveCursor();
      if (!this.audio.paused) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  moveCursor() {
    this.pictures.cursor_s = this.audio.currentTime;
    this.pictures.draw();
    this.update();
  }

  update() {
    const find = (name) => this.root.querySelector(`[data-part="${name}"]`);
    if (!find("play")) return;
    find("play").textContent = this.audio.paused ? `▶ ${this.strings.play}` : `❚❚ ${this.strings.pause}`;
    find("loop").setAttribute("aria-pressed", String(this.looping));
    const number = (value, digits) => formatted(this.strings.language, value, digits);
    find("speed").textContent = `${number(this.audio.playbackRate, 1)}×`;
    const duration_s = this.duration_s || 0;
    const [from, to] = (this.region || [this.pendingStart_s, 0]).map((time_s) => number(time_s ?? 0, 2));
    const text = this.region ? this.strings.loop_range : this.pendingStart_s === null ? "" : this.strings.loop_from;
    const now = filled(this.strings.time, { now: number(this.audio.currentTime, 2), total: number(duration_s, 2) });
    find("time").textContent = text ? `${now}  ${filled(text, { from, to })}` : now;
  }
}
