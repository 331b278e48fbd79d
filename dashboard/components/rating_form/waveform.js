// Draws the two pictures of a recording, waveform and spectrogram, with cursor, loop region and time axis.

const SPECTRUM_STOPS = [[0, [10, 12, 30]], [0.35, [60, 25, 110]], [0.6, [190, 55, 85]], [0.82, [245, 150, 40]], [1, [252, 250, 200]]];

function colourOf(level) {
  const position = level / 255;
  const upper = SPECTRUM_STOPS.findIndex(([stop]) => position <= stop);
  if (upper <= 0) return SPECTRUM_STOPS[0][1];
  const [from, low] = SPECTRUM_STOPS[upper - 1];
  const [to, high] = SPECTRUM_STOPS[upper];
  const share = (position - from) / (to - from);
  return low.map((value, index) => Math.round(value + share * (high[index] - value)));
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

// Samples in -1 .. 1 of a mono 16-bit WAV with the plain 44-byte header that the server writes.
function samplesOf(wav) {
  const integers = new Int16Array(wav.buffer.slice(44, wav.byteLength - (wav.byteLength % 2)));
  return Float32Array.from(integers, (value) => value / 32768);
}

class Pictures {
  constructor(canvas, strings, onSeek, onRegion) {
    this.canvas = canvas;
    this.strings = strings;
    this.cursor_s = 0;
    this.region = null;
    this.onSeek = onSeek;
    this.onRegion = onRegion;
    this.listen();
  }

  show(samples, duration_s, spectrogram) {
    this.samples = samples;
    this.duration_s = Math.max(duration_s, 1e-3);
    this.image = document.createElement("canvas");
    this.image.width = spectrogram.n_time;
    this.image.height = spectrogram.n_frequency;
    const context = this.image.getContext("2d");
    const pixels = context.createImageData(spectrogram.n_time, spectrogram.n_frequency);
    const table = Array.from({ length: 256 }, (_, level) => colourOf(level));
    bytesOf(spectrogram.data).forEach((level, index) => {
      pixels.data.set([...table[level], 255], 4 * index);
    });
    context.putImageData(pixels, 0, 0);
    this.max_hz = spectrogram.max_hz;
    this.still = null;
    this.draw();
  }

  listen() {
    let start_s = null;
    const timeAt = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * this.duration_s;
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      if (!this.duration_s) return;
      start_s = timeAt(event);
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (start_s === null) return;
      const now_s = timeAt(event);
      if (Math.abs(now_s - start_s) > 0.03 * this.duration_s) {
        this.onRegion(Math.min(start_s, now_s), Math.max(start_s, now_s));
      }
    });
    this.canvas.addEventListener("pointerup", (event) => {
      if (start_s !== null && Math.abs(timeAt(event) - start_s) <= 0.03 * this.duration_s) this.onSeek(start_s);
      start_s = null;
    });
  }

  // The parts that do not move are drawn once, into a picture of their own.
  drawStill(width, height, scale) {
    const still = document.createElement("canvas");
    still.width = width * scale;
    still.height = height * scale;
    const context = still.getContext("2d");
    context.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const ink = style.getPropertyValue("--form-wave").trim();
    const text = style.getPropertyValue("--form-muted").trim();
    const axis = 16;
    const waveHeight = Math.round(0.42 * (height - axis));
    context.fillStyle = ink;
    const middle = waveHeight / 2;
    const perPixel = this.samples.length / width;
    for (let x = 0; x < width; x += 1) {
      const to = Math.min(this.samples.length, Math.ceil((x + 1) * perPixel));
      let low = 0;
      let high = 0;
      for (let index = Math.floor(x * perPixel); index < to; index += 1) {
        low = Math.min(low, this.samples[index]);
        high = Math.max(high, this.samples[index]);
      }
      context.fillRect(x, middle - high * middle, 1, Math.max(1, (high - low) * middle));
    }
    context.imageSmoothingEnabled = true;
    context.drawImage(this.image, 0, waveHeight + 4, width, height - axis - waveHeight - 4);
    context.font = "11px sans-serif";
    context.fillStyle = text;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30].find((size) => (size / this.duration_s) * width > 56) || 60;
    for (let index = 0; index * step <= this.duration_s; index += 1) {
      const x = ((index * step) / this.duration_s) * width;
      context.fillRect(x, height - axis, 1, 4);
      const label = filled(this.strings.seconds, { n: formatted(this.strings.language, index * step, step < 1 ? 1 : 0) });
      if (x + 30 < width) context.fillText(label, x + 3, height - 3);
    }
    context.fillStyle = "rgba(255,255,255,.85)";
    context.fillText(`${this.max_hz / 1000} kHz`, 4, waveHeight + 16);
    return still;
  }

  draw() {
    if (!this.samples) return;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!width || !height) return;
    const scale = window.devicePixelRatio || 1;
    const context = this.canvas.getContext("2d");
    if (!this.still || this.canvas.width !== Math.round(width * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.still = this.drawStill(width, height, scale);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.still, 0, 0);
    context.scale(scale, scale);
    const accent = getComputedStyle(this.canvas).getPropertyValue("--form-accent").trim();
    const place = (time_s) => (time_s / this.duration_s) * width;
    if (this.region) {
      context.fillStyle = accent;
      context.globalAlpha = 0.22;
      context.fillRect(place(this.region[0]), 0, place(this.region[1] - this.region[0]), height - 16);
      context.globalAlpha = 1;
    }
    context.fillStyle = accent;
    context.fillRect(Math.min(width - 2, place(this.cursor_s)), 0, 2, height - 16);
  }
}
