// Pictures of the mouth with words beside them. Screen readers pass over the pictures and read the words.

function note(item) {
  const row = document.createElement("div");
  row.className = "note";
  if (item.picture) {
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = item.picture;
    row.append(picture);
  }
  const words = document.createElement("span");
  if (item.title) {
    const title = document.createElement("strong");
    title.textContent = item.title;
    words.append(title, " ");
  }
  words.append(item.text);
  row.append(words);
  return row;
}

export default function ({ data, parentElement }) {
  parentElement.querySelector(".mouths").replaceChildren(...data.items.map(note));
}
