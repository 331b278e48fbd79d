// One key, one act; nothing fires while somebody types or holds Ctrl, Alt or Meta.

function isTyping(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  return target.tagName === "INPUT" && !["range", "checkbox"].includes(target.type);
}

// Enter and Space belong to the link or button that has the focus.
function actsItself(event) {
  if (event.key !== "Enter" && event.key !== " ") return false;
  const controls = "a[href], button, summary, input[type=checkbox], [role=button], [role=radio], [role=option], [role=tab]";
  return event.composedPath().some((node) => node instanceof HTMLElement && node.matches(controls));
}

// Arrows move within a toolbar, a scroll bar, a list and a dialog that has the focus.
function movesWithin(event) {
  if (!/^(Arrow|Home|End|Page)/.test(event.key)) return false;
  return event.composedPath().some((node) => node instanceof HTMLElement && node.matches("[role=toolbar], [role=scrollbar], [role=listbox], [role=dialog]"));
}

// `acts` maps a key to a function ("Shift+ArrowLeft" where Shift changes no letter); returns the function that stops
// listening. Keys are heard anywhere in the page, or only within `place`.
function listenToKeys(acts, onEscape, place = document) {
  const handle = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const target = event.composedPath()[0];
    if (event.key === "Escape") {
      if (isTyping(event)) target.blur();
      onEscape();
      return;
    }
    const isScore = target instanceof HTMLElement && target.tagName === "INPUT" && target.type === "number";
    if (isTyping(event) && !(isScore && event.key === "Enter")) return;
    if (actsItself(event) || movesWithin(event)) return;
    const act = acts[event.shiftKey && event.key.startsWith("Arrow") ? `Shift+${event.key}` : event.key];
    if (!act || (event.repeat && ["Enter", "u", "s", "f"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (isScore) target.blur();
    act();
  };
  place.addEventListener("keydown", handle, true);
  return () => place.removeEventListener("keydown", handle, true);
}
