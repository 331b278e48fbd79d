// The spectrogram lane, computed here from the samples for just what is in view, so that it is sharp at every zoom.
// The colours are the same in a light and a dark page: they stand for levels.

const SPECTRUM_STOPS = [[0, [10, 12, 30]], [0.35, [60, 25, 110]], [0.6, [190, 55, 85]], [0.82, [245, 150, 40]], [1, [252, 250, 200]]];
const SPECTRUM_INK = { muted: "#ffffff", ground: "rgba(10, 12, 30, .75)" };
const SLICE_MS = 8; // of computing at a time, so that the page stays responsive
const SMALLEST_FFT = 256;
const EMPHASIS_HZ = 1000; // high frequencies are raised by 6 dB an octave about it, as Praat draws them
const LEAST_POWER = 1e-12;
const LEVEL_FRAMES = 128; // at which the loudest level of a recording is looked for

const SPECTRUM_COLOURS = Uint32Array.from({ length: 256 }, (_, level) => {
  const position = level / 255;
  const upper = Math.max(1, SPECTRUM_STOPS.findIndex(([stop]) => position <= stop));
  const [from, low] = SPECTRUM_STOPS[upper - 1];
  const [to, high] = SPECTRUM_STOPS[upper];
  const [red, green, blue] = low.map((value, index) => Math.round(value + ((position - from) / (to - from)) * (high[index] - value)));
  return (255 << 24) | (blue << 16) | (green << 8) | red; // as the bytes of an image lie in memory
});

class Spectrogram {
  constructor(onReady) {
    this.onReady = onReady;
    this.image = null;
    this.job = null;
  }

  // `maxHz` is the highest frequency shown, `windowMs` the effective length of the window, `rangeDb` the contrast: from
  // the loudest level down to the darkest colour.
  set({ maxHz, windowMs, rangeDb }) {
    this.maxHz = maxHz;
    this.windowMs = windowMs;
    this.rangeDb = rangeDb;
    this.forget();
  }

  show(samples, rateHz) {
    this.samples = samples;
    this.rateHz = rateHz;
    this.image = null;
    this.forget();
  }

  // Settings or samples have changed: what was computed no longer holds.
  forget() {
    this.job = null;
    this.wanted = "";
    this.spectrum = null;
  }

  get topHz() {
    return Math.min(this.maxHz, this.rateHz / 2);
  }

  prepare() {
    if (this.spectrum) return;
    const windowSamples = Math.max(8, Math.round((2 * this.windowMs * this.rateHz) / 1000));
    const size = Math.max(SMALLEST_FFT, 2 ** Math.ceil(Math.log2(windowSamples)));
    this.spectrum = new Spectrum(windowSamples, size);
    this.emphasis = Float32Array.from({ length: size / 2 + 1 }, (_, bin) => (Math.max(50, (bin * this.rateHz) / size) / EMPHASIS_HZ) ** 2);
    this.levels = [new Float32Array(size / 2 + 1), new Float32Array(size / 2 + 1)];
    this.highest = 0;
    const step = Math.max(1, this.samples.length / LEVEL_FRAMES);
    for (let centre = step / 2; centre < this.samples.length; centre += 2 * step) {
      for (const power of this.spectrum.around(this.samples, centre, centre + step)) {
        for (let bin = 0; bin < power.length; bin += 1) this.highest = Math.max(this.highest, power[bin] * this.emphasis[bin]);
      }
    }
    this.loudestDb = 10 * Math.log10(this.highest + LEAST_POWER);
  }

  draw(context, viewport, top, height) {
    const pixelRatio = window.devicePixelRatio || 1;
    this.request(viewport, Math.round(viewport.widthPx * pixelRatio), Math.max(1, Math.round(height * pixelRatio)));
    context.fillStyle = `rgb(${SPECTRUM_STOPS[0][1].join(" ")})`;
    context.fillRect(0, top, viewport.widthPx, height);
    if (this.image) {
      const { canvas, fromS, toS } = this.image;
      const x = viewport.toX(fromS);
      context.save();
      context.beginPath();
      context.rect(0, top, viewport.widthPx, height);
      context.clip();
      context.drawImage(canvas, x, top, viewport.toX(toS) - x, height);
      context.restore();
    }
  }

  drawAxis(context, top, height, language) {
    const stepHz = [500, 1000, 2000, 4000].find((step) => (step / this.topHz) * height > 22) || 8000;
    context.fillStyle = SPECTRUM_INK.muted;
    for (let hz = stepHz; hz <= this.topHz; hz += stepHz) {
      const y = top + height * (1 - hz / this.topHz);
      context.fillRect(0, Math.round(y), 4, 1);
      const unit = hz + stepHz > this.topHz ? " kHz" : "";
      outlined(context, formatted(language, hz / 1000, stepHz < 1000 ? 1 : 0) + unit, 6, clamped(y + 4, top + 11, top + height - 3), SPECTRUM_INK);
    }
  }

  // Start to compute the picture of what is in view, unless it is there or on its way.
  request(viewport, columns, rows) {
    const wanted = [viewport.fromS, viewport.toS, columns, rows].join();
    if (wanted === this.wanted || columns < 1) return;
    this.wanted = wanted;
    this.prepare();
    const canvas = document.createElement("canvas");
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(columns, rows);
    const { fromS, toS } = viewport;
    const job = { colours: new Uint32Array(pixels.data.buffer), columns, rows, fromS, spanS: toS - fromS, bins: this.binsOf(rows) };
    this.job = job;
    let column = 0;
    const slice = () => {
      if (this.job !== job) return;
      const end = performance.now() + SLICE_MS;
      while (column < columns && performance.now() < end) {
        this.columns(job, column);
        column += 2;
      }
      if (column < columns) {
        requestAnimationFrame(slice);
        return;
      }
      context.putImageData(pixels, 0, 0);
      this.image = { canvas, fromS, toS };
      this.job = null;
      this.onReady();
    };
    slice();
  }

  // The range of bins that each row shows, the highest frequency first.
  binsOf(rows) {
    const binsPerRow = ((this.topHz / this.rateHz) * this.spectrum.size) / rows;
    return Float32Array.from({ length: rows + 1 }, (_, row) => (rows - row) * binsPerRow);
  }

  // Two columns, from `column` on.
  columns(job, column) {
    const { spectrum, samples, emphasis, levels } = this;
    const stepSamples = (job.spanS * this.rateHz) / job.columns;
    const centre = (job.fromS + ((column + 0.5) / job.columns) * job.spanS) * this.rateHz;
    // Where a column stands for more than a window is long, several windows of it are averaged.
    const windows = clamped(Math.ceil(stepSamples / spectrum.window.length), 1, 4);
    for (const level of levels) level.fill(0);
    for (let index = 0; index < windows; index += 1) {
      const place = centre + ((index + 0.5) / windows - 0.5) * stepSamples;
      const powers = spectrum.around(samples, place, place + stepSamples);
      for (let bin = 0; bin < emphasis.length; bin += 1) {
        levels[0][bin] += powers[0][bin];
        levels[1][bin] += powers[1][bin];
      }
    }
    const lastBin = Math.min(emphasis.length, Math.ceil(job.bins[0]) + 2);
    for (let side = 0; side < 2 && column + side < job.columns; side += 1) {
      const level = levels[side];
      for (let bin = 0; bin < lastBin; bin += 1) level[bin] = 10 * Math.log10((level[bin] * emphasis[bin]) / windows + LEAST_POWER);
      this.paint(job, column + side, level);
    }
  }

  // `levels` are those of the bins, in dB.
  paint(job, column, levels) {
    const { bins, rows, columns, colours } = job;
    const darkestDb = this.loudestDb - this.rangeDb;
    for (let row = 0; row < rows; row += 1) {
      const high = bins[row];
      const low = bins[row + 1];
      let levelDb = -Infinity;
      if (high - low > 1) {
        for (let bin = Math.ceil(low); bin <= high; bin += 1) if (levels[bin] > levelDb) levelDb = levels[bin];
      } else {
        const place = (low + high) / 2;
        const bin = Math.floor(place);
        levelDb = levels[bin] + (place - bin) * (levels[bin + 1] - levels[bin]);
      }
      colours[row * columns + column] = SPECTRUM_COLOURS[clamped(Math.round((255 * (levelDb - darkestDb)) / this.rangeDb), 0, 255)];
    }
  }
}
