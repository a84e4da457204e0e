// The pairs of a static file: each is in the page, and is shown when the address names it, after the #.
const pairBox = find("#pair");
const idOf = (row) => row.querySelector("[data-open]").hash.slice("#pair=".length);
const templateOf = (row) => document.getElementById(`pair-${idOf(row)}`);
const texts = new Map();

function textOf(row) {
  if (!texts.has(row)) texts.set(row, (row.textContent + templateOf(row).content.textContent).toLowerCase());
  return texts.get(row);
}

function finder(words) {
  return words === "" ? () => true : (row) => textOf(row).includes(words);
}

function open(id, at) {
  const template = document.getElementById(`pair-${id}`);
  if (!template) return;
  if (pairBox.dataset.id !== id || pairBox.hidden) {
    pairBox.dataset.id = id;
    pairBox.replaceChildren(template.content.cloneNode(true));
    list.hidden = true;
    pairBox.hidden = false;
    const shown = rows.filter((row) => !row.hidden), here = shown.findIndex((row) => idOf(row) === id);
    for (const link of pairBox.querySelectorAll("[data-by]")) {
      const next = shown[here + Number(link.dataset.by)];
      if (here >= 0 && next) link.hash = `#pair=${idOf(next)}`;
      else link.hidden = true;
    }
    scrollTo(0, 0);
    pairBox.querySelector("h1").focus({ preventScroll: true });
  }
  const mark = at && document.getElementById(at);
  if (mark) show(mark);
}

function route() {
  const place = decodeURIComponent(location.hash.slice(1));
  if (place.startsWith("pair=")) {
    const asked = new URLSearchParams(location.hash.slice(1));
    return open(asked.get("pair"), asked.get("at"));
  }
  if (place !== "" && !place.startsWith("list")) return;
  choose();
  const was = !pairBox.hidden;
  pairBox.hidden = true;
  list.hidden = false;
  if (location.hash.includes("?") || was) find("#count").scrollIntoView();
}

pairBox.addEventListener("click", (event) => {
  const place = placeOf(event);
  if (!place) return;
  event.preventDefault();
  show(place);
  history.replaceState(null, "", `#pair=${pairBox.dataset.id}&at=${place.id}`);
});
addEventListener("hashchange", route);
narrow();
route();
