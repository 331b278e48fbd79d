// Small helpers that the player and the rating form share.

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function button(part, label, title) {
  return element("button", { type: "button", "data-part": part, title: title || label }, label);
}

// A number with so many decimals, as the reader's language writes it.
function formatted(language, value, digits) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
}

// `text` with its {placeholders} replaced.
function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function clamped(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// The list of keys, folded: `strings.key_list` holds pairs of keys and what they do.
function keyList(strings) {
  const list = element("dl", {});
  for (const [keys, act] of strings.key_list) {
    list.append(element("div", {}, element("dt", {}, ...keys.map((name) => element("kbd", {}, name))), element("dd", {}, act)));
  }
  return element("details", { class: "keys", "data-part": "keys" }, element("summary", {}, strings.keys), list);
}
