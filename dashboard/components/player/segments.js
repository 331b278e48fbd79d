// Segments of a recording as boxes on the axis of time; who edits or compares them puts the boxes into rows.

const COMMENTS = "comments";
const TIER_ORDER = ["words", "phones", COMMENTS];
const COMMENT_PX = 60; // beyond its moment

// Those of the text first, others by name.
function inTierOrder(one, other) {
  const rank = (tier) => (TIER_ORDER.includes(tier) ? TIER_ORDER.indexOf(tier) : TIER_ORDER.length);
  return rank(one) - rank(other) || one.localeCompare(other);
}

function segmentBox(segment, id) {
  const kinds = Object.keys(segment.marks);
  const heard = Object.values(segment.marks).filter(Boolean).join(" ");
  const text = segment.tier === COMMENTS ? segment.label || "•" : segment.label || "∅";
  const box = element(
    "div", { class: "segment", role: "option", id, "data-kind": kinds[0] ?? "" },
    element("span", { class: "label" }, text, heard ? element("i", {}, `→${heard}`) : ""),
  );
  if (kinds.length > 1) box.firstChild.append(element("sup", {}, String(kinds.length)));
  box.dataset.empty = String(!segment.label && segment.tier !== COMMENTS);
  return box;
}

// In words: label with its IPA, times, marks.
function segmentInWords(segment, strings, markNames, ipa = {}) {
  const seconds = (value) => formatted(strings.language, value, 3);
  const times = segment.tier === COMMENTS
    ? filled(strings.seconds, { n: seconds(segment.start_s) })
    : filled(strings.tier_range, { from: seconds(segment.start_s), to: seconds(segment.end_s) });
  const marks = Object.entries(segment.marks).map(([kind, heard]) => [markNames[kind] ?? kind, heard].filter(Boolean).join(": "));
  const label = segment.label || strings.tier_empty;
  const sound = ipa[segment.label];
  return [sound && sound !== label ? `${label} [${sound}]` : label, times, ...marks].join(", ");
}

// Everything at its seconds: `boxes` maps segments to their boxes.
function placeSegments(boxes, viewport) {
  for (const [segment, box] of boxes) {
    const fromX = viewport.toX(segment.start_s);
    const width = viewport.toX(segment.end_s) - fromX;
    const isMoment = segment.tier === COMMENTS;
    box.hidden = fromX > viewport.widthPx || fromX + Math.max(width, isMoment ? COMMENT_PX : 0) < 0;
    box.style.left = `${fromX}px`;
    box.style.width = isMoment ? "" : `${width}px`;
    box.classList.toggle("narrow", !isMoment && width < 8);
  }
}
