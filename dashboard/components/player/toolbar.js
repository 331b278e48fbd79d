// The player's controls in one row: one tab stop, arrows move within (the pattern of a toolbar).

class Toolbar {
  constructor(player, strings) {
    this.player = player;
    this.strings = strings;
    this.time = element("span", { "data-part": "time", class: "time" });
    this.speed = element("span", { "data-part": "speed", class: "speed" });
    this.root = element(
      "div", { class: "toolbar", role: "toolbar", "aria-label": strings.controls },
      button("play", `▶ ${strings.play}`, strings.play_help), button("replay", "↺", strings.replay_help),
      button("loop", `⟳ ${strings.loop}`, strings.loop_help), button("slower", "–", strings.slower_help), this.speed,
      button("faster", "+", strings.faster_help), this.time,
    );
    const acts = {
      play: () => player.toggle(), replay: () => player.replay(), loop: () => player.toggleLoop(), slower: () => player.setSpeed(-1),
      faster: () => player.setSpeed(1),
    };
    for (const [part, act] of Object.entries(acts)) this.part(part).addEventListener("click", act);
    this.rove();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  rove() {
    const items = () => [...this.root.querySelectorAll("button")].filter((item) => !item.hidden && !item.disabled);
    const focusable = (chosen) => items().forEach((item) => (item.tabIndex = item === chosen ? 0 : -1));
    focusable(items()[0]);
    this.root.addEventListener("focusin", (event) => event.target.matches("button") && focusable(event.target));
    this.root.addEventListener("keydown", (event) => {
      const all = items();
      const place = all.indexOf(event.target);
      const last = all.length - 1;
      const next = { ArrowRight: place < last ? place + 1 : 0, ArrowLeft: place > 0 ? place - 1 : last, Home: 0, End: last }[event.key];
      if (place < 0 || next === undefined || event.shiftKey) return;
      event.preventDefault();
      all[next].focus();
    });
  }

  update() {
    const { player, strings } = this;
    if (!player.sound) return;
    const number = (value, digits) => formatted(strings.language, value, digits);
    this.part("play").textContent = player.isPlaying ? `❚❚ ${strings.pause}` : `▶ ${strings.play}`;
    this.part("loop").setAttribute("aria-pressed", String(player.looping));
    this.speed.textContent = `${number(player.speed, 1)}×`;
    const now = filled(strings.time, { now: number(player.cursorS, 2), total: number(player.durationS, 2) });
    this.time.textContent = [now, this.selected()].filter(Boolean).join("  ");
  }

  selected() {
    const { player, strings } = this;
    const seconds = (value) => formatted(strings.language, value, player.viewport.spanS < 0.5 ? 4 : 2);
    if (player.pendingStartS !== null) return filled(strings.loop_from, { from: seconds(player.pendingStartS) });
    if (!player.selection) return "";
    const { fromS, toS } = player.selection;
    const ms = formatted(strings.language, 1000 * (toS - fromS), toS - fromS < 0.1 ? 1 : 0);
    return filled(player.looping ? strings.loop_range : strings.range, { from: seconds(fromS), to: seconds(toS), ms });
  }
}
