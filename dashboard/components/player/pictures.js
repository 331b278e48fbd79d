// One canvas with waveform, spectrogram and time axis: what is in view, the selection and the cursor; and what wheel,
// pointer and fingers do on it.

const AXIS_PX = 16;
const WAVE_SHARE = 0.38; // of the height, the rest is the spectrogram's
const DRAG_PX = 4; // less is a click
const TICK_STEPS_S = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const WHEEL_ZOOM = 0.0025; // of a doubling, a pixel of the wheel

class Pictures {
  // `player` has `viewport`, `settings`, `selection` ({fromS, toS} or null), `cursorS`, `seek`, `select` and `focus`; `onPointer`
  // is told where the pointer is: {seconds, hz} or {seconds, amplitude}, null when it has left.
  constructor(player, strings, onPointer) {
    this.player = player;
    this.strings = strings;
    this.onPointer = onPointer;
    this.canvas = element("canvas", { class: "pictures", role: "img", "aria-label": strings.pictures });
    this.waveform = new Waveform();
    this.spectrogram = new Spectrogram(() => this.redraw());
    this.tracks = new TrackLane(player.settings);
    this.pointers = new Map();
    player.viewport.onChange(() => this.redraw());
    this.resize = new ResizeObserver(() => {
      player.viewport.resize(this.canvas.clientWidth);
      this.redraw();
    });
    this.resize.observe(this.canvas);
    this.applySettings();
    this.listen();
  }

  show(sound) {
    this.waveform.show(sound.samples, sound.rateHz);
    this.spectrogram.show(sound.samples, sound.rateHz);
    this.showTracks(sound.tracks ?? null);
  }

  showTracks(tracks) {
    this.tracks.show(tracks);
    this.redraw();
  }

  applySettings() {
    const { settings } = this.player;
    this.waveform.scale = settings.get("amplitude");
    this.spectrogram.set({ maxHz: settings.get("maxHz"), windowMs: settings.get("windowMs"), rangeDb: settings.get("rangeDb") });
    this.redraw();
  }

  dispose() {
    this.resize.disconnect();
  }

  get waveHeight() {
    return Math.round(WAVE_SHARE * (this.canvas.clientHeight - AXIS_PX));
  }

  // From where to where the spectrogram reaches.
  get spectrogramBox() {
    const top = this.waveHeight + 3;
    return { top, height: this.canvas.clientHeight - AXIS_PX - top };
  }

  // Draw everything in the next frame; `move` draws only what moves.
  redraw() {
    this.still = null;
    this.move();
  }

  move() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!this.waveform.samples || !width || !height) return;
    const pixelRatio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * pixelRatio) || canvas.height !== Math.round(height * pixelRatio)) {
      canvas.width = Math.round(width * pixelRatio);
      canvas.height = Math.round(height * pixelRatio);
      this.still = null;
    }
    if (!this.still) this.still = this.drawStill(width, height, pixelRatio);
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.still, 0, 0);
    context.scale(pixelRatio, pixelRatio);
    const { viewport, selection, cursorS } = this.player;
    if (selection) {
      const box = this.spectrogramBox;
      drawSelection(context, viewport, selection, 0, box.top, 0.25, this.style.accent);
      drawSelection(context, viewport, selection, box.top, box.height, 0.1, this.style.accent); // levels stay readable
    }
    drawCursor(context, viewport, cursorS, height - AXIS_PX, this.style.accent);
  }

  // The parts that do not move, in a picture of their own.
  drawStill(width, height, pixelRatio) {
    const still = document.createElement("canvas");
    still.width = width * pixelRatio;
    still.height = height * pixelRatio;
    const context = still.getContext("2d");
    context.scale(pixelRatio, pixelRatio);
    context.font = "11px sans-serif";
    const computed = getComputedStyle(this.canvas);
    const colour = (name) => computed.getPropertyValue(name).trim();
    this.style = {
      wave: colour("--player-wave"), muted: colour("--player-muted"), line: colour("--player-line"),
      ground: colour("--player-ground"), accent: colour("--player-accent"),
    };
    const { viewport } = this.player;
    const { language } = this.strings;
    const box = this.spectrogramBox;
    this.waveform.draw(context, viewport, 0, this.waveHeight, this.style, language);
    this.spectrogram.draw(context, viewport, box.top, box.height);
    this.tracks.draw(context, viewport, box.top, box.height, this.spectrogram.topHz);
    this.spectrogram.drawAxis(context, box.top, box.height, language);
    this.tracks.drawScales(context, viewport, box.top, box.height, language);
    this.drawTimeAxis(context, height - AXIS_PX);
    return still;
  }

  drawTimeAxis(context, top) {
    const { viewport } = this.player;
    const step = TICK_STEPS_S.find((size) => (size / viewport.spanS) * viewport.widthPx > 64) || 60;
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    context.fillStyle = this.style.muted;
    for (let index = Math.max(0, Math.ceil(viewport.fromS / step - 1e-6)); index * step <= viewport.toS; index += 1) {
      const x = viewport.toX(index * step);
      context.fillRect(Math.round(x), top, 1, 4);
      const label = filled(this.strings.seconds, { n: formatted(this.strings.language, index * step, digits) });
      if (x + context.measureText(label).width + 4 < viewport.widthPx) context.fillText(label, x + 3, top + AXIS_PX - 3);
    }
  }

  xOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return clamped(event.clientX - box.left, 0, box.width);
  }

  // What lies at a place of the pictures.
  valuesAt(event) {
    const { viewport } = this.player;
    const seconds = viewport.toSeconds(this.xOf(event));
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    const { top, height } = this.spectrogramBox;
    if (y < top) return { seconds, amplitude: this.waveform.at(seconds) };
    return { seconds, hz: clamped(1 - (y - top) / height, 0, 1) * this.spectrogram.topHz };
  }

  // With Ctrl (or two fingers on a touchpad) the wheel zooms, with Shift or sideways it scrolls; alone it scrolls the
  // page as everywhere.
  wheel(event) {
    const { viewport } = this.player;
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      viewport.zoom(2 ** (-WHEEL_ZOOM * pixelsOf(event, event.deltaY)), viewport.toSeconds(this.xOf(event)));
    } else if (!viewport.isWhole && Math.abs(sideways) > (event.shiftKey ? 0 : Math.abs(event.deltaY))) {
      viewport.scroll((pixelsOf(event, sideways) / viewport.widthPx) * viewport.spanS);
    } else return;
    event.preventDefault();
  }

  listen() {
    const { canvas, pointers, player } = this;
    const { viewport } = player;
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button || !this.waveform.samples) return;
      event.preventDefault();
      player.focus(); // so that keys belong to the player, not to a field or the page
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, this.xOf(event));
      start = pointers.size === 1 ? { x: this.xOf(event), seconds: viewport.toSeconds(this.xOf(event)) } : null;
    });
    canvas.addEventListener("pointerleave", () => this.onPointer(null));
    canvas.addEventListener("pointermove", (event) => {
      this.onPointer(this.valuesAt(event));
      if (!pointers.has(event.pointerId)) return;
      const before = [...pointers.values()];
      pointers.set(event.pointerId, this.xOf(event));
      if (pointers.size === 2) this.pinch(before, [...pointers.values()]);
      else if (start && Math.abs(this.xOf(event) - start.x) > DRAG_PX) {
        const seconds = viewport.toSeconds(this.xOf(event));
        player.select(Math.min(start.seconds, seconds), Math.max(start.seconds, seconds));
      }
    });
    const lift = (event) => {
      pointers.delete(event.pointerId);
      if (event.type === "pointerup" && start && Math.abs(this.xOf(event) - start.x) <= DRAG_PX) player.seek(start.seconds);
      start = null;
      if (event.pointerType !== "mouse") this.onPointer(null);
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
  }

  // Two fingers: what was between them stays between them.
  pinch(before, after) {
    const { viewport } = this.player;
    const gap = ([one, other]) => Math.max(20, Math.abs(one - other));
    const middle = ([one, other]) => (one + other) / 2;
    viewport.scroll(((middle(before) - middle(after)) / viewport.widthPx) * viewport.spanS);
    viewport.zoom(gap(after) / gap(before), viewport.toSeconds(middle(after)));
  }
}

// How far a wheel turned, in pixels, whatever the browser counts in.
function pixelsOf(event, delta) {
  return delta * [1, 16, 400][event.deltaMode];
}

function drawSelection(context, viewport, { fromS, toS }, top, height, alpha, colour) {
  const x = viewport.toX(fromS);
  const width = Math.max(1, viewport.toX(toS) - x);
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  context.fillRect(x, top, width, height);
  context.globalAlpha = 1;
  context.fillRect(x, top, 1, height);
  context.fillRect(x + width - 1, top, 1, height);
}

function drawCursor(context, viewport, cursorS, height, colour) {
  const x = viewport.toX(cursorS);
  if (x < -1 || x > viewport.widthPx + 1) return;
  context.fillStyle = colour;
  context.fillRect(clamped(x - 1, 0, viewport.widthPx - 2), 0, 2, height);
}
