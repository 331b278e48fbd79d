// A folder becomes zip archives of a few hundred files, stored and not compressed (sound hardly shrinks), which are put
// into Streamlit's own uploader one after another: the next one once the server has kept the one before and drawn a new
// uploader. What the server has already is left out, by path and SHA-256.

const PART_BYTES = 24 * 2 ** 20;
const PART_FILES = 400;
const UTF8 = 0x0800;
const FIRST_DAY = 0x21; // 1 January 1980: the same files make the same archive
const HIDDEN = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) value = CRC[(value ^ bytes[at]) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

// Fields of two or four bytes, little-endian.
function fields(...values) {
  const view = new DataView(new ArrayBuffer(values.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of values) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

function zipped(files, name) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { path, bytes } of files) {
    const encoded = new TextEncoder().encode(path);
    const common = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, FIRST_DAY], [4, crc32(bytes)], [4, bytes.length],
      [4, bytes.length], [2, encoded.length], [2, 0]];
    const local = fields([4, 0x04034b50], ...common);
    parts.push(local, encoded, bytes);
    directory.push(fields([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), encoded);
    offset += local.length + encoded.length + bytes.length;
  }
  const length = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, offset], [2, 0]);
  return new File([...parts, ...directory, end], name, { type: "application/zip" });
}

async function sha256(bytes) {
  if (!window.crypto?.subtle) return null; // over plain http: sent once more, and recognised by the server
  const digest = new Uint8Array(await window.crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Every file below what was dropped, with its path.
async function dropped(items) {
  const files = [];
  const entries = Array.from(items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  while (entries.length) {
    const entry = entries.shift();
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      files.push({ path: entry.fullPath.replace(/^\//, ""), file });
      continue;
    }
    const reader = entry.createReader();
    let batch;
    do {
      batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      entries.push(...batch);
    } while (batch.length);
  }
  return files;
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

class Sender {
  constructor(root) {
    this.queue = [];
    this.left = [];
    this.fed = "";
    this.round = 0;
    this.place = document.createElement("div");
    this.place.className = "place";
    this.input = Object.assign(document.createElement("input"), { type: "file", multiple: true, hidden: true });
    this.input.setAttribute("webkitdirectory", "");
    this.choose = document.createElement("button");
    this.hint = Object.assign(document.createElement("span"), { className: "hint" });
    this.state = Object.assign(document.createElement("div"), { className: "state", hidden: true });
    this.state.setAttribute("role", "status");
    this.words = document.createElement("span");
    this.bar = document.createElement("progress");
    this.stop = document.createElement("button");
    this.state.append(this.bar, this.words, this.stop);
    this.place.append(this.input, this.choose, this.hint, this.state);
    root.replaceChildren(this.place);
    this.choose.onclick = () => this.input.click();
    this.input.onchange = () => {
      const files = Array.from(this.input.files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
      this.input.value = "";
      this.begin(Promise.resolve(files));
    };
    this.stop.onclick = () => {
      this.queue = [];
      this.show();
    };
    this.place.ondragover = (event) => {
      event.preventDefault();
      this.place.dataset.over = "";
    };
    this.place.ondragleave = () => delete this.place.dataset.over;
    this.place.ondrop = (event) => {
      event.preventDefault();
      delete this.place.dataset.over;
      this.begin(dropped(event.dataTransfer.items));
    };
  }

  update(data) {
    this.data = data;
    this.choose.textContent = data.strings.choose;
    this.hint.textContent = data.strings.drop;
    this.stop.textContent = data.strings.stop;
    this.bar.setAttribute("aria-label", data.strings.looking);
    if (!this.state.hidden) this.show();
    this.pump();
  }

  async begin(listing) {
    this.round++;
    this.say(this.data.strings.looking);
    const files = (await listing).map(({ path, file }) => ({ path: path.normalize("NFC"), file }));
    const wanted = files.filter(({ path }) => !HIDDEN.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
    this.left = wanted.filter(({ file }) => file.size > this.data.largest).map(({ path }) => path);
    this.queue = wanted.filter(({ file }) => file.size <= this.data.largest);
    this.total = this.queue.length;
    this.done = this.known = this.part = 0;
    this.name = wanted.length ? wanted[0].path.split("/")[0] : "";
    this.fed = "";
    this.show();
    this.pump();
  }

  async pump() {
    if (this.packing || !this.queue.length || this.fed === this.data.uploader) return;
    this.packing = true;
    const round = this.round;
    const part = await this.next();
    const input = part.length ? await this.uploader() : null;
    this.packing = false;
    if (round !== this.round) return this.pump(); // another folder was chosen meanwhile
    this.show();
    if (!input) return part.length ? undefined : this.pump();
    this.fed = this.data.uploader;
    const transfer = new DataTransfer();
    transfer.items.add(zipped(part, `${this.name} ${++this.part}.zip`));
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // The next files that the server does not have, with their bytes.
  async next() {
    const part = [];
    let size = 0;
    while (this.queue.length && part.length < PART_FILES && (!size || size + this.queue[0].file.size <= PART_BYTES)) {
      const { path, file } = this.queue.shift();
      this.done++;
      let bytes;
      try {
        bytes = new Uint8Array(await file.arrayBuffer());
      } catch {
        this.left.push(path); // moved or locked since it was chosen
        continue;
      }
      const before = this.data.received[path];
      if (before && (await sha256(bytes))?.startsWith(before)) {
        this.known++;
        continue;
      }
      part.push({ path, bytes });
      size += bytes.length;
    }
    return part;
  }

  // Streamlit's uploader is drawn a moment after this component is.
  async uploader() {
    for (let tries = 0; tries < 100; tries++) {
      const input = document.querySelector(`.st-key-${CSS.escape(this.data.uploader)} input[type=file]`);
      if (input) return input;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return null;
  }

  show() {
    const { strings } = this.data;
    const counts = { done: this.done, total: this.total };
    const sentences = [this.total ? filled(this.queue.length ? strings.sending : strings.sent, counts) : strings.empty];
    if (this.known) sentences.push(filled(strings.known, { n: this.known }));
    if (this.left.length) {
      const names = this.left.slice(0, 5).join(", ") + (this.left.length > 5 ? " …" : "");
      sentences.push(filled(strings.left, { names }));
    }
    this.say(sentences.join(" "));
    this.bar.max = Math.max(1, this.total);
    this.bar.value = this.done;
    this.bar.hidden = this.stop.hidden = !this.queue.length;
  }

  say(text) {
    this.state.hidden = false;
    this.bar.hidden = this.stop.hidden = true;
    this.words.textContent = text;
  }
}

const senders = new WeakMap();

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".folder-drop");
  if (!senders.has(root)) senders.set(root, new Sender(root));
  senders.get(root).update(data);
}
