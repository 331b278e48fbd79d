// The player alone, for any page. Its keys work while it has the focus.

const players = new WeakMap();

class PlayerPage {
  constructor(root, strings) {
    this.strings = strings;
    this.head = element("div", { class: "head" });
    this.player = new Player(strings);
    root.replaceChildren(this.head, this.player.root);
    this.stopKeys = listenToKeys(this.player.acts(), () => this.player.clearSelection(), this.player.root);
  }

  update(data) {
    this.head.replaceChildren(data.label);
    if (data.view === this.view) return;
    this.view = data.view;
    this.player.load(data);
  }

  dispose() {
    this.stopKeys();
    this.player.dispose();
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".player-page");
  let page = players.get(root);
  if (page && page.strings.language !== data.strings.language) {
    page.dispose();
    page = undefined;
  }
  if (!page) {
    page = new PlayerPage(root, data.strings);
    players.set(root, page);
  }
  page.update(data);
  return () => {
    players.get(root)?.dispose();
    players.delete(root);
  };
}
