// How the player shows and plays: kept in this browser for each person, since it is about their eyes, ears and screen.

const DEFAULTS = {
  amplitude: "linear", maxHz: 5000, windowMs: 5, rangeDb: 70, pitch: false, formants: false, intensity: false, ceilingHz: 5500,
  beside: false, speed: 1, volume: 1,
};
const CHOICES = {
  amplitude: ["linear", "db"],
  maxHz: [2000, 3000, 4000, 5000, 6000, 8000],
  windowMs: [3, 5, 10, 20, 30, 50],
  rangeDb: [30, 40, 50, 60, 70, 80, 90, 100],
  ceilingHz: [5000, 5500, 8000],
  speed: [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5],
};
const TRACKS = ["pitch", "formants", "intensity"];
const BROAD_MS = 5;
const NARROW_MS = 30;

class Settings extends EventTarget {
  constructor(person) {
    super();
    this.storageKey = `pronlab-player:${person}`;
    this.values = { ...DEFAULTS };
    const kept = this.read();
    for (const [name, value] of Object.entries(kept)) if (this.isValid(name, value)) this.values[name] = value;
  }

  read() {
    try {
      return JSON.parse(localStorage.getItem(this.storageKey) || "{}") || {};
    } catch {
      return {};
    }
  }

  isValid(name, value) {
    if (name in CHOICES) return CHOICES[name].includes(value);
    if (name === "volume") return value >= 0 && value <= 1;
    return name in DEFAULTS && typeof value === typeof DEFAULTS[name];
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.setAll({ [name]: value });
  }

  setAll(values) {
    Object.assign(this.values, values);
    try {
      localStorage.setItem(this.storageKey, JSON.stringify(this.values));
    } catch {
      // A browser that keeps nothing: the settings hold until the page is left.
    }
    this.dispatchEvent(new Event("change"));
  }

  reset() {
    this.setAll(DEFAULTS);
  }

  step(name, steps) {
    const choices = CHOICES[name];
    this.set(name, choices[clamped(choices.indexOf(this.get(name)) + steps, 0, choices.length - 1)]);
  }

  // Which formant ceiling the tracks are to be measured with; 0 where none is shown.
  get wantedCeilingHz() {
    return TRACKS.some((name) => this.get(name)) ? this.get("ceilingHz") : 0;
  }
}

// All players of a person on a page share their settings.
const settingsOf = (() => {
  const known = new Map();
  return (person) => {
    if (!known.has(person)) known.set(person, new Settings(person));
    return known.get(person);
  };
})();

// The panel in which they are set: a dialog beside the toolbar.
class SettingsPanel {
  constructor(settings, strings, onClose) {
    this.settings = settings;
    this.strings = strings;
    this.onClose = onClose;
    this.controls = {};
    this.volume = element("input", { type: "range", min: 0, max: 1, step: 0.05, "data-setting": "volume" });
    this.volume.addEventListener("input", () => settings.set("volume", this.volume.valueAsNumber));
    const reset = button("reset", strings.reset);
    reset.addEventListener("click", () => settings.reset());
    const close = button("close", strings.close);
    close.addEventListener("click", () => this.onClose());
    this.root = element(
      "div", { class: "settings", role: "dialog", "aria-label": strings.settings, hidden: "" },
      this.select("amplitude", strings.amplitudes), this.select("maxHz", strings.frequencies),
      this.select("windowMs", strings.windows), this.select("rangeDb", strings.ranges),
      element("fieldset", {}, element("legend", {}, strings.tracks), ...TRACKS.map((name) => this.checkbox(name))),
      this.select("ceilingHz", strings.ceilings), this.checkbox("beside"), this.labelled("volume", this.volume),
      element("div", { class: "ends" }, reset, close),
    );
    settings.addEventListener("change", () => this.update());
    this.update();
  }

  labelled(name, control) {
    this.controls[name] = control;
    return element("label", {}, element("span", {}, this.strings.setting_names[name]), control);
  }

  // `texts` holds what each choice is called, in the order of CHOICES.
  select(name, texts) {
    const control = element(
      "select", { "data-setting": name }, ...CHOICES[name].map((value, index) => element("option", { value }, texts[index])),
    );
    control.addEventListener("change", () => this.settings.set(name, CHOICES[name][control.selectedIndex]));
    return this.labelled(name, control);
  }

  checkbox(name) {
    const control = element("input", { type: "checkbox", "data-setting": name });
    control.addEventListener("change", () => this.settings.set(name, control.checked));
    this.controls[name] = control;
    const mark = TRACKS.includes(name) ? [element("i", { class: `mark ${name}` })] : [];
    return element("label", { class: "check" }, control, ...mark, this.strings.setting_names[name]);
  }

  update() {
    for (const [name, control] of Object.entries(this.controls)) {
      if (control.type === "checkbox") control.checked = this.settings.get(name);
      else control.value = this.settings.get(name);
    }
    this.controls.ceilingHz.disabled = !this.settings.get("formants");
  }

  get isOpen() {
    return !this.root.hidden;
  }

  toggle(isOpen) {
    this.root.hidden = !isOpen;
    if (isOpen) this.controls.amplitude.focus();
  }
}
