// Which part of the recording is in view: a bar to drag, below the lanes. Shift and the arrows do the same by keyboard.

const SMALLEST_THUMB_PX = 24;

class Scrollbar {
  constructor(viewport) {
    this.viewport = viewport;
    this.thumb = element("div", { class: "thumb" });
    this.root = element("div", { class: "scrollbar", "aria-hidden": "true" }, this.thumb);
    viewport.onChange(() => this.update());
    let held = null;
    this.root.addEventListener("pointerdown", (event) => {
      if (event.button || viewport.isWhole) return;
      event.preventDefault();
      this.root.setPointerCapture(event.pointerId);
      const seconds = this.secondsAt(event);
      const isOnThumb = seconds >= viewport.fromS && seconds <= viewport.toS;
      if (!isOnThumb) viewport.scroll(seconds - (viewport.fromS + viewport.toS) / 2);
      held = seconds - viewport.fromS;
    });
    this.root.addEventListener("pointermove", (event) => {
      if (held !== null) viewport.scroll(this.secondsAt(event) - held - viewport.fromS);
    });
    const drop = () => (held = null);
    this.root.addEventListener("pointerup", drop);
    this.root.addEventListener("pointercancel", drop);
  }

  secondsAt(event) {
    const box = this.root.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * this.viewport.durationS;
  }

  update() {
    const { viewport } = this;
    this.root.classList.toggle("whole", viewport.isWhole);
    const width = Math.max(viewport.widthPx * (viewport.spanS / viewport.durationS), SMALLEST_THUMB_PX);
    const room = viewport.widthPx - width;
    const share = viewport.isWhole ? 0 : viewport.fromS / (viewport.durationS - viewport.spanS);
    this.thumb.style.width = `${width}px`;
    this.thumb.style.transform = `translateX(${room * share}px)`;
  }
}
