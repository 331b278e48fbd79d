// Level as bars and the melody as dots above them, from right to left while one speaks.

const SHOWN_S = 6;
const BAR_S = 0.05;
const MELODY_S = 0.045; // of sound for one pitch
const TOP_DB = -6;

class LivePicture {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  clear() {
    this.bars = [];
    this.recent = new Float32Array(0);
    this.pending = 0;
    this.draw();
  }

  feed(samples, rateHz) {
    const keep = Math.round(Math.max(BAR_S, MELODY_S) * rateHz);
    this.recent = joined([this.recent, samples]).slice(-keep);
    this.pending += samples.length;
    if (this.pending < BAR_S * rateHz) return;
    this.pending = 0;
    this.bars.push({ db: levelOf(this.recent), hz: pitchOf(this.recent, rateHz) });
    if (this.bars.length > SHOWN_S / BAR_S) this.bars.shift();
    this.draw();
  }

  draw() {
    const { canvas, bars } = this;
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const step = width / (SHOWN_S / BAR_S);
    pen.clearRect(0, 0, width, height);
    bars.forEach(({ db, hz }, index) => {
      const x = width - (bars.length - index) * step;
      const share = Math.min(1, Math.max(0.02, (db - LOWEST_DB) / (TOP_DB - LOWEST_DB)));
      pen.fillStyle = style.getPropertyValue("--level");
      pen.fillRect(x, height * (1 - share), Math.max(1, step - scale), height * share);
      if (Number.isNaN(hz)) return;
      const pitch = Math.log(hz / LOWEST_HZ) / Math.log(HIGHEST_HZ / LOWEST_HZ);
      pen.fillStyle = style.getPropertyValue("--melody");
      pen.beginPath();
      pen.arc(x + step / 2, height * (0.92 - 0.84 * pitch), 2 * scale, 0, 2 * Math.PI);
      pen.fill();
    });
  }
}
