// Which part of a recording is in view. Every lane (waveform, spectrogram, tiers) draws from it: only here do seconds
// become pixels. Pixels are CSS pixels from the left edge of the lanes.

const SHORTEST_VIEW_S = 0.004; // a single period of a low voice, twice that of a high one

class Viewport {
  constructor() {
    this.listeners = new Set();
    this.durationS = SHORTEST_VIEW_S;
    this.fromS = 0;
    this.toS = this.durationS;
    this.widthPx = 1;
  }

  // Calls `listener(viewport)` after every change; returns the function that stops it.
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get spanS() {
    return this.toS - this.fromS;
  }

  get isWhole() {
    return this.spanS >= this.durationS - 1e-9;
  }

  toX(seconds) {
    return ((seconds - this.fromS) / this.spanS) * this.widthPx;
  }

  toSeconds(x) {
    return this.fromS + (x / this.widthPx) * this.spanS;
  }

  // A recording of another length: all of it in view.
  reset(durationS) {
    this.durationS = Math.max(durationS, SHORTEST_VIEW_S);
    this.fromS = 0;
    this.toS = this.durationS;
    this.changed();
  }

  resize(widthPx) {
    if (widthPx === this.widthPx || !widthPx) return;
    this.widthPx = widthPx;
    this.changed();
  }

  show(fromS, toS) {
    const spanS = clamped(toS - fromS, Math.min(SHORTEST_VIEW_S, this.durationS), this.durationS);
    const startS = clamped(fromS - (spanS - (toS - fromS)) / 2, 0, this.durationS - spanS);
    if (startS === this.fromS && startS + spanS === this.toS) return;
    this.fromS = startS;
    this.toS = startS + spanS;
    this.changed();
  }

  // A factor over 1 shows less; the second `aroundS` stays where it is.
  zoom(factor, aroundS) {
    const spanS = clamped(this.spanS / factor, Math.min(SHORTEST_VIEW_S, this.durationS), this.durationS);
    const share = (aroundS - this.fromS) / this.spanS;
    this.show(aroundS - share * spanS, aroundS + (1 - share) * spanS);
  }

  scroll(seconds) {
    const fromS = clamped(this.fromS + seconds, 0, this.durationS - this.spanS);
    this.show(fromS, fromS + this.spanS);
  }

  fit() {
    this.show(0, this.durationS);
  }

  // Turn the page where a second is out of view.
  reveal(seconds) {
    if (this.isWhole || (seconds >= this.fromS && seconds <= this.toS)) return;
    const fromS = clamped(seconds - 0.05 * this.spanS, 0, this.durationS - this.spanS);
    this.show(fromS, fromS + this.spanS);
  }

  changed() {
    for (const listener of this.listeners) listener(this);
  }
}
