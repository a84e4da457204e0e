// The list of an export: filters stand in the address, after the #; `finder` says which rows hold some words.
const list = find("#list"), query = find("#q");
const rows = [...document.querySelectorAll("[data-row]")];
const values = new Map(rows.map((row) => [row, JSON.parse(row.dataset.values)]));
const boxes = document.querySelectorAll("[data-boxes] input[type=checkbox]");
let wanted = new URLSearchParams();

function narrow() {
  const matches = finder(query.value.trim().toLowerCase());
  let count = 0;
  for (const row of rows) {
    const has = [...new Set(wanted.keys())].every((name) => !values.get(row)[name] || wanted.getAll(name).some((value) => values.get(row)[name].includes(value)));
    row.hidden = !has || !matches(row);
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

function choose() {
  wanted = new URLSearchParams(location.hash.split("?")[1] || "");
  for (const box of boxes) {
    box.checked = wanted.getAll(box.name).includes(box.value);
    if (box.checked) box.closest("details").open = true;
  }
  narrow();
}

for (const box of boxes) {
  box.addEventListener("change", () => {
    const ticked = new URLSearchParams([...wanted].filter(([name, value]) => name !== box.name || value !== box.value));
    if (box.checked) ticked.append(box.name, box.value);
    history.replaceState(null, "", `#list?${ticked}`);
    choose();
  });
}
find("[data-boxes]").addEventListener("submit", (event) => event.preventDefault());

query.addEventListener("input", narrow);
