// The other sound's pictures below those of the one that is shown: its reference, or the recording itself while the
// reference is shown. View, selection and cursor are at the same relative place; a click goes over to it.

class OtherSound {
  constructor(player, strings) {
    this.player = player;
    this.strings = strings;
    this.viewport = new Viewport();
    this.pictures = new Pictures(this, strings, () => {});
    this.badge = element("div", { class: "badge" });
    this.root = element("div", { class: "lanes", hidden: "" });
    player.viewport.onChange(() => this.follow());
  }

  get settings() {
    return this.player.settings;
  }

  focus() {
    this.player.focus();
  }

  get sound() {
    const { sounds, showing } = this.player;
    return showing === "recording" ? sounds?.reference : sounds?.recording;
  }

  place(seconds) {
    return this.player.sound.inOther(this.sound, seconds);
  }

  get cursorS() {
    return this.place(this.player.cursorS);
  }

  get selection() {
    const { selection } = this.player;
    return selection && { fromS: this.place(selection.fromS), toS: this.place(selection.toS) };
  }

  seek(seconds) {
    this.player.switchSound();
    this.player.seek(seconds);
  }

  select() {
    // A stretch is selected above; it shows here.
  }

  follow() {
    if (this.root.hidden) return;
    const { viewport } = this.player;
    if (viewport.isWhole) this.viewport.fit();
    else this.viewport.show(this.place(viewport.fromS), this.place(viewport.toS));
  }

  // Another sound, other tracks or other settings.
  show() {
    this.root.hidden = !this.settings.get("beside") || !this.sound;
    this.root.replaceChildren(...(this.root.hidden ? [] : [this.pictures.canvas, this.badge]));
    if (this.root.hidden) return;
    this.badge.textContent = this.player.showing === "recording" ? this.strings.reference : this.strings.recording;
    this.viewport.reset(this.sound.durationS);
    this.follow();
    this.pictures.show(this.sound);
  }

  move() {
    if (!this.root.hidden) this.pictures.move();
  }

  applySettings() {
    this.pictures.applySettings();
    if (this.root.hidden !== !(this.settings.get("beside") && this.sound)) this.show();
  }

  dispose() {
    this.pictures.dispose();
  }
}
