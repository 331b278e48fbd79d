// The player alone, for any page. Its keys work while it has the focus.

const players = new WeakMap();

class PlayerPage {
  constructor(root, data) {
    this.language = data.strings.language;
    this.person = data.person;
    this.head = element("div", { class: "head" });
    this.player = new Player(data.strings, data.person, (ceilingHz) => this.want(ceilingHz));
    this.tiers = new RaterTiers(this.player, data.strings);
    this.player.panel.root.append(keyList(data.strings));
    root.replaceChildren(this.head, this.player.root);
    const acts = { ...this.player.acts(), B: () => this.tiers.play(), o: () => this.tiers.open(!this.tiers.isOpen), "?": () => this.showKeys() };
    this.stopKeys = listenToKeys(acts, () => this.player.escape(), this.player.root);
  }

  showKeys() {
    if (!this.player.panel.isOpen) this.player.toggleSettings(false);
    this.player.panel.root.querySelector(".keys").toggleAttribute("open");
  }

  update(data, want) {
    this.want = want;
    this.head.replaceChildren(data.label);
    if (data.view !== this.view) this.player.load(data);
    else this.player.showTracks(data.tracks);
    this.view = data.view;
    this.tiers.show(data.tiers, data.mark_names);
  }

  dispose() {
    this.stopKeys();
    this.player.dispose();
  }
}

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".player-page");
  let page = players.get(root);
  if (page && (page.language !== data.strings.language || page.person !== data.person)) {
    page.dispose();
    page = undefined;
  }
  if (!page) {
    page = new PlayerPage(root, data);
    players.set(root, page);
  }
  page.update(data, (ceilingHz) => setStateValue("ceiling_hz", ceilingHz));
  return () => {
    players.get(root)?.dispose();
    players.delete(root);
  };
}
