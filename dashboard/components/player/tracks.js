// Pitch, formants and intensity over the spectrogram, told apart by shape too: a line, dots, a dashed line.

const TRACK_COLOURS = { pitch: "#4cc9f0", formants: "#ffffff", intensity: "#9be564" };
const TRACK_RIM = "rgba(10, 12, 30, .8)";
const INTENSITY_SPAN_DB = 50;

class TrackLane {
  constructor(settings) {
    this.settings = settings;
    this.tracks = null;
  }

  // As measured by the server: {step_s, f0_hz, formants_hz, intensity_db}, null where nothing was measured.
  show(tracks) {
    this.tracks = tracks;
    if (!tracks) return;
    const highestHz = tracks.f0_hz.reduce((highest, value) => Math.max(highest, value ?? 0), 0);
    this.pitchTopHz = Math.max(200, 100 * Math.ceil((1.1 * highestHz) / 100));
    this.loudestDb = 10 * Math.ceil(tracks.intensity_db.reduce((highest, value) => Math.max(highest, value), -100) / 10);
  }

  isShown(name) {
    return this.tracks !== null && this.settings.get(name);
  }

  // {f0_hz, formants_hz, intensity_db} at a second, as far as shown; null where there is no such value.
  at(seconds) {
    const index = Math.round(seconds / (this.tracks?.step_s ?? 1));
    const value = (name, key) => (this.isShown(name) ? (this.tracks[key][index] ?? null) : null);
    return { f0_hz: value("pitch", "f0_hz"), formants_hz: value("formants", "formants_hz"), intensity_db: value("intensity", "intensity_db") };
  }

  draw(context, viewport, top, height, maxHz) {
    if (!this.tracks) return;
    context.save();
    context.beginPath();
    context.rect(0, top, viewport.widthPx, height);
    context.clip();
    const place = (share) => top + height * (1 - share);
    const first = Math.max(0, Math.floor(viewport.fromS / this.tracks.step_s) - 1);
    const last = Math.ceil(viewport.toS / this.tracks.step_s) + 1;
    const points = (values, share) => values.slice(first, last + 1).map((value, index) => {
      const isThere = value !== null && value !== undefined;
      return isThere ? [viewport.toX((first + index) * this.tracks.step_s), place(share(value))] : null;
    });
    if (this.isShown("formants")) {
      for (let number = 0; number < 5; number += 1) {
        const values = this.tracks.formants_hz.map((formants) => formants?.[number]);
        this.dots(context, points(values, (hz) => hz / maxHz));
      }
    }
    if (this.isShown("intensity")) {
      const share = (level) => (level - this.loudestDb + INTENSITY_SPAN_DB) / INTENSITY_SPAN_DB;
      this.line(context, points(this.tracks.intensity_db, share), TRACK_COLOURS.intensity, [5, 3]);
    }
    if (this.isShown("pitch")) this.line(context, points(this.tracks.f0_hz, (hz) => hz / this.pitchTopHz), TRACK_COLOURS.pitch, []);
    context.restore();
  }

  dots(context, points) {
    for (const point of points) {
      if (!point) continue;
      context.beginPath();
      context.arc(point[0], point[1], 2, 0, 2 * Math.PI);
      context.fillStyle = TRACK_COLOURS.formants;
      context.strokeStyle = TRACK_RIM;
      context.lineWidth = 1.5;
      context.stroke();
      context.fill();
    }
  }

  line(context, points, colour, dash) {
    const path = new Path2D();
    points.forEach((point, index) => {
      if (!point) return;
      if (points[index - 1]) path.lineTo(...point);
      else path.moveTo(point[0] - 1, point[1]);
      path.lineTo(...point);
    });
    context.setLineDash([]);
    context.strokeStyle = TRACK_RIM;
    context.lineWidth = 4;
    context.stroke(path);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke(path);
    context.setLineDash([]);
  }

  // The scales of pitch and intensity, at the right edge of the lane.
  drawScales(context, viewport, top, height, language) {
    const label = (text, y, colour, right) => {
      context.fillStyle = colour;
      outlined(context, text, right - context.measureText(text).width, y, SPECTRUM_INK);
    };
    let right = viewport.widthPx - 3;
    const scale = (high, low, unit, colour) => {
      const texts = [high, low].map((value) => `${formatted(language, value, 0)} ${unit}`);
      label(texts[0], top + 12, colour, right);
      label(texts[1], top + height - 4, colour, right);
      right -= 8 + context.measureText(texts[0]).width;
    };
    if (this.isShown("pitch")) scale(this.pitchTopHz, 0, "Hz", TRACK_COLOURS.pitch);
    if (this.isShown("intensity")) scale(this.loudestDb, this.loudestDb - INTENSITY_SPAN_DB, "dB", TRACK_COLOURS.intensity);
  }
}
