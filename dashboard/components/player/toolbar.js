// The player's controls in one row: one tab stop, arrows move within (the pattern of a toolbar).

const ICONS = {
  replay: "M12 5V2L7 6.5 12 11V8a5 5 0 1 1-5 5H4a8 8 0 1 0 8-8z",
  loop: "M17 4l4 4-4 4V9H8a3 3 0 0 0-3 3H2a6 6 0 0 1 6-6h9zM7 20l-4-4 4-4v3h9a3 3 0 0 0 3-3h3a6 6 0 0 1-6 6H7z",
  out: "M10 3a7 7 0 1 1-4.4 12.4M10 3a7 7 0 1 0 5.3 11.6L21 20.3M7 10h6",
  in: "M10 3a7 7 0 1 1-4.4 12.4M10 3a7 7 0 1 0 5.3 11.6L21 20.3M7 10h6M10 7v6",
  whole: "M3 4v16M21 4v16M6 12h12M9 8.5L5.5 12 9 15.5M15 8.5l3.5 3.5-3.5 3.5",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
};
const FINE_VIEW_S = 0.2; // what is shorter is read to a tenth of a millisecond
const FILLED = new Set(["replay", "loop"]);

function iconButton(part, icon, label) {
  const made = element("button", { type: "button", "data-part": part, title: label, "aria-label": label, class: "icon" });
  const line = { fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round" };
  const style = FILLED.has(icon) ? { fill: "currentColor" } : line;
  const picture = drawing("svg", { viewBox: "0 0 24 24", width: "18", height: "18", "aria-hidden": "true", ...style });
  picture.append(drawing("path", { d: ICONS[icon] }));
  made.append(picture);
  return made;
}

function drawing(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

class Toolbar {
  constructor(player, strings) {
    this.player = player;
    this.strings = strings;
    this.time = element("span", { "data-part": "time", class: "time" });
    this.speed = element("span", { "data-part": "speed", class: "speed" });
    const group = (...children) => element("div", { class: "group" }, ...children);
    const slower = button("slower", "–", strings.slower_help);
    const faster = button("faster", "+", strings.faster_help);
    for (const step of [slower, faster]) step.setAttribute("aria-label", step.title);
    this.root = element(
      "div", { class: "toolbar", role: "toolbar", "aria-label": strings.controls },
      group(button("play", `▶ ${strings.play}`, strings.play_help), iconButton("replay", "replay", strings.replay_help), iconButton("loop", "loop", strings.loop_help)),
      group(slower, this.speed, faster),
      group(iconButton("out", "out", strings.out_help), iconButton("in", "in", strings.in_help), iconButton("whole", "whole", strings.whole_help)),
      group(button("reference", strings.reference, strings.reference_help), iconButton("settings", "settings", strings.settings_help)),
      this.time,
    );
    this.part("settings").setAttribute("aria-haspopup", "dialog");
    const acts = {
      play: () => player.toggle(), replay: () => player.replay(), loop: () => player.toggleLoop(), slower: () => player.settings.step("speed", -1),
      faster: () => player.settings.step("speed", 1), out: () => player.zoom(-1), in: () => player.zoom(1), whole: () => player.viewport.fit(),
      reference: () => player.switchSound(), settings: (event) => player.toggleSettings(event.detail === 0),
    };
    for (const [part, act] of Object.entries(acts)) this.part(part).addEventListener("click", act);
    this.rove();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  // The first control takes the focus from the page's order; arrows, Home and End move on from there.
  rove() {
    const items = () => [...this.root.querySelectorAll("button")].filter((item) => !item.hidden && !item.disabled);
    const choose = (chosen) => this.root.querySelectorAll("button").forEach((item) => (item.tabIndex = item === chosen ? 0 : -1));
    choose(this.part("play"));
    this.root.addEventListener("focusin", (event) => event.target.matches("button") && choose(event.target));
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
    this.part("reference").hidden = !player.sounds.reference;
    this.part("reference").setAttribute("aria-pressed", String(player.showing === "reference"));
    this.part("settings").setAttribute("aria-expanded", String(player.panel.isOpen));
    for (const part of ["out", "whole"]) this.part(part).disabled = player.viewport.isWhole;
    this.speed.textContent = `${number(player.settings.get("speed"), 1)}×`;
    const now = filled(strings.time, { now: this.seconds(player.cursorS), total: number(player.durationS, 2) });
    this.time.textContent = [now, this.selected()].filter(Boolean).join("  ");
  }

  seconds(value) {
    return formatted(this.strings.language, value, this.player.viewport.spanS < FINE_VIEW_S ? 4 : 2);
  }

  selected() {
    const { player, strings } = this;
    if (player.pendingStartS !== null) return filled(strings.selected_from, { from: this.seconds(player.pendingStartS) });
    if (!player.selection) return "";
    const { fromS, toS } = player.selection;
    const ms = formatted(strings.language, 1000 * (toS - fromS), toS - fromS < 0.1 ? 1 : 0);
    return filled(strings.selected, { from: this.seconds(fromS), to: this.seconds(toS), ms });
  }
}
