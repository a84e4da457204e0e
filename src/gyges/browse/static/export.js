// The list and the pairs of a static file. Where the reader is stands in the address, after the #.
const list = find("#list"), pairBox = find("#pair"), query = find("#q");
const rows = [...document.querySelectorAll("[data-row]")];
const values = new Map(rows.map((row) => [row, JSON.parse(row.dataset.values)]));
const idOf = (row) => row.querySelector("[data-open]").hash.slice("#pair=".length);
const templateOf = (row) => document.getElementById(`pair-${idOf(row)}`);
const texts = new Map();

function textOf(row) {
  if (!texts.has(row)) texts.set(row, (row.textContent + templateOf(row).content.textContent).toLowerCase());
  return texts.get(row);
}

let wanted = new URLSearchParams();

function narrow() {
  const words = query.value.trim().toLowerCase();
  let count = 0;
  for (const row of rows) {
    const has = [...new Set(wanted.keys())].every((name) => !values.get(row)[name] || wanted.getAll(name).some((value) => values.get(row)[name].includes(value)));
    row.hidden = !has || (words !== "" && !textOf(row).includes(words));
    if (!row.hidden) count += 1;
  }
  find("#count").textContent = `${count} ${count === 1 ? "pair" : "pairs"}`;
  find("#chosen").replaceChildren(...[...wanted].map(([name, value]) => {
    const chip = document.createElement("a"), rest = new URLSearchParams([...wanted].filter(([n, v]) => n !== name || v !== value));
    chip.className = "chip";
    chip.href = `#list?${rest}`;
    chip.textContent = `${name}: ${value} ×`;
    return chip;
  }));
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
  wanted = new URLSearchParams(location.hash.split("?")[1] || "");
  narrow();
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
query.addEventListener("input", narrow);
addEventListener("hashchange", route);
narrow();
route();
