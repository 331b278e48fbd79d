// The numbers under the pointer, or at the cursor while the pointer is elsewhere.

class Readout {
  constructor(player, strings) {
    this.player = player;
    this.strings = strings;
    this.root = element("div", { class: "readout", hidden: "" });
  }

  // `pointer` is {seconds, hz} or {seconds, amplitude}, null where the pointer is elsewhere.
  update(pointer) {
    const { player } = this;
    if (!player.sound) return;
    const seconds = pointer?.seconds ?? player.cursorS;
    const parts = [...this.underPointer(pointer), ...this.ofTracks(player.pictures.tracks.at(seconds))];
    const isShown = pointer !== null || TRACKS.some((name) => player.pictures.tracks.isShown(name));
    this.root.hidden = !isShown;
    if (!isShown) return;
    this.root.replaceChildren(element("span", {}, this.seconds(seconds)), ...parts);
  }

  number(value, digits) {
    return formatted(this.strings.language, value, digits);
  }

  seconds(value) {
    return filled(this.strings.seconds, { n: this.number(value, this.player.viewport.spanS < FINE_VIEW_S ? 4 : 3) });
  }

  underPointer(pointer) {
    if (!pointer) return [];
    if (pointer.hz !== undefined) return [element("span", {}, `${this.number(pointer.hz, 0)} Hz`)];
    const level = Math.abs(pointer.amplitude) > 1e-5 ? `${this.number(20 * Math.log10(Math.abs(pointer.amplitude)), 1)} dB` : "–∞ dB";
    return [element("span", {}, `${this.number(pointer.amplitude, 3)} (${level})`)];
  }

  ofTracks({ f0_hz, formants_hz, intensity_db }) {
    const { tracks } = this.player.pictures;
    const entry = (name, text) => element("span", {}, element("i", { class: `mark ${name}` }), text);
    const entries = [];
    if (tracks.isShown("pitch")) entries.push(entry("pitch", f0_hz === null ? "F0 –" : `F0 ${this.number(f0_hz, 0)} Hz`));
    if (tracks.isShown("formants")) {
      const values = (formants_hz ?? []).slice(0, 4).flatMap((hz, index) => (hz === null ? [] : [`F${index + 1} ${this.number(hz, 0)}`]));
      entries.push(entry("formants", values.length ? `${values.join("  ")} Hz` : "F1–F4 –"));
    }
    if (tracks.isShown("intensity")) entries.push(entry("intensity", intensity_db === null ? "– dB" : `${this.number(intensity_db, 1)} dB`));
    return entries;
  }
}
