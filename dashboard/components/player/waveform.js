// The waveform lane: amplitude over time, linear or in dB, with single samples where there is room for them.

const LOWEST_DB = -60; // relative to the recording's peak
const LABEL_PX = 14; // a label needs

class Waveform {
  constructor() {
    this.scale = "linear";
  }

  show(samples, rateHz) {
    this.samples = samples;
    this.rateHz = rateHz;
    this.peak = Math.max(1e-4, samples.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0));
  }

  // Where an amplitude lies between -1 (bottom of the lane) and 1 (its top).
  place(amplitude) {
    const share = Math.abs(amplitude) / this.peak;
    if (this.scale === "linear") return Math.sign(amplitude) * share;
    const level_db = 20 * Math.log10(Math.max(share, 1e-9));
    return Math.sign(amplitude) * Math.max(0, 1 - level_db / LOWEST_DB);
  }

  at(seconds) {
    return this.samples[clamped(Math.round(seconds * this.rateHz), 0, this.samples.length - 1)] ?? 0;
  }

  draw(context, viewport, top, height, style, language) {
    const middle = top + height / 2;
    const reach = height / 2 - 1;
    context.fillStyle = style.line;
    context.fillRect(0, Math.round(middle), viewport.widthPx, 1);
    context.fillStyle = style.wave;
    context.strokeStyle = style.wave;
    const samplesPerPx = (viewport.spanS * this.rateHz) / viewport.widthPx;
    if (samplesPerPx < 2) this.drawCurve(context, viewport, middle, reach, 1 / samplesPerPx);
    else this.drawExtremes(context, viewport, middle, reach);
    this.drawScale(context, top, height, style, language);
  }

  // From the lowest to the highest sample of each pixel.
  drawExtremes(context, viewport, middle, reach) {
    for (let x = 0; x < viewport.widthPx; x += 1) {
      const first = Math.max(0, Math.floor(viewport.toSeconds(x) * this.rateHz));
      const last = Math.min(this.samples.length, Math.ceil(viewport.toSeconds(x + 1) * this.rateHz) + 1);
      let low = Infinity;
      let high = -Infinity;
      for (let index = first; index < last; index += 1) {
        const value = this.samples[index];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (low > high) continue;
      const upper = this.place(high) * reach;
      const lower = this.place(low) * reach;
      context.fillRect(x, middle - upper, 1, Math.max(1, upper - lower));
    }
  }

  drawCurve(context, viewport, middle, reach, pxPerSample) {
    const first = Math.max(0, Math.floor(viewport.fromS * this.rateHz));
    const last = Math.min(this.samples.length - 1, Math.ceil(viewport.toS * this.rateHz));
    context.lineWidth = 1.5;
    context.beginPath();
    for (let index = first; index <= last; index += 1) {
      const x = viewport.toX(index / this.rateHz);
      const y = middle - this.place(this.samples[index]) * reach;
      context.lineTo(x, y);
      if (pxPerSample > 6) context.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
    context.stroke();
  }

  drawScale(context, top, height, style, language) {
    context.fillStyle = style.muted;
    if (this.scale === "linear") {
      outlined(context, formatted(language, this.peak, 2), 4, top + 11, style);
      outlined(context, formatted(language, -this.peak, 2), 4, top + height - 4, style);
      return;
    }
    let lowestY = -Infinity;
    for (let level = 0; level >= LOWEST_DB; level -= 10) {
      const y = top + (height / 2) * (level / LOWEST_DB);
      context.fillRect(0, Math.round(y), 3, 1);
      if (y - lowestY < LABEL_PX) continue;
      lowestY = y;
      outlined(context, `${formatted(language, level, 0)} dB`, 5, Math.max(top + 9, y + 4), style);
    }
  }
}

// Text that stays readable over a picture: with a rim in the colour of the page.
function outlined(context, text, x, y, style) {
  context.lineWidth = 3;
  context.strokeStyle = style.ground;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
