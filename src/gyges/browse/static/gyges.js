// Keys, jumps and copies. It makes no element from text and fetches only the Markdown of the pair that is shown.
"use strict";

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.getClientRects().length);
const said = find("#said");

function say(words) {
  said.textContent = words;
  setTimeout(() => { said.textContent = ""; }, 2500);
}

function show(element) {
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
}

// Rows and turns: one of them is where the reader is.
function step(selector, by) {
  const rows = all(selector);
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.classList.contains("here"));
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  if (at >= 0) rows[at].classList.remove("here");
  rows[next].classList.add("here");
  rows[next].scrollIntoView({ block: rows[next].matches("[data-turn]") ? "start" : "nearest" });
  const link = rows[next].querySelector("[data-open]");
  if (link) link.focus({ preventScroll: true });
}

// Marks of one kind, one after the other, round and round.
const places = {};
function visit(kind, by) {
  const marks = [...document.querySelectorAll(`mark.m-${kind}[id]`)];
  if (!marks.length) return say(`no ${kind} is marked in this pair`);
  const at = places[kind] === undefined ? (by > 0 ? -1 : 0) : places[kind];
  places[kind] = (at + by + marks.length) % marks.length;
  document.querySelectorAll(".target").forEach((mark) => mark.classList.remove("target"));
  marks[places[kind]].classList.add("target");
  show(marks[places[kind]]);
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    say(words);
  } catch {
    say("the browser does not let this page copy");
  }
}

async function copyMarkdown(button) {
  const answer = await fetch(button.dataset.from);
  if (!answer.ok) return say("the pair could not be read");
  await copy(await answer.text(), "copied as Markdown");
}

// How many characters of the text stand before a point in it. Python counts code points, JavaScript does not.
function offset(node, at) {
  const piece = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("[data-at]");
  if (!piece) return null;
  if (piece.dataset.width) return Number(piece.dataset.at) + (at > 0 ? Number(piece.dataset.width) : 0);
  return Number(piece.dataset.at) + [...piece.textContent.slice(0, at)].length;
}

function linkHere() {
  const address = new URL(location.href);
  address.searchParams.delete("span");
  const chosen = getSelection();
  if (chosen.rangeCount && !chosen.isCollapsed) {
    const range = chosen.getRangeAt(0);
    const words = range.startContainer.parentElement.closest("[data-place]");
    const start = offset(range.startContainer, range.startOffset);
    const end = offset(range.endContainer, range.endOffset);
    if (words && words.contains(range.endContainer) && start !== null && end !== null && end > start) {
      const span = `${words.dataset.place}-${start}-${end}`;
      address.searchParams.set("span", span);
      address.hash = span;
      return copy(address.href, "copied a link to these words");
    }
  }
  if (!location.protocol.startsWith("http")) return copy(address.href, "copied a link to this page");
  const turn = find("[data-turn].here article[id]");
  if (turn) address.hash = turn.id;
  return copy(address.href, turn ? "copied a link to this turn" : "copied a link to this page");
}

const acts = {
  keys: () => find("#keys").showModal(),
  decision: () => visit("decision", 1),
  evidence: () => visit("evidence", 1),
  copy: () => { const button = find("[data-act=copy]"); if (button) copyMarkdown(button); },
  link: linkHere,
};

// The place in this page that a link leads to: a mark or a message.
function placeOf(event) {
  const link = event.target.closest("a[href^='#']");
  const place = link && document.getElementById(link.hash.slice(1));
  return place && place.closest("mark, article, h2") ? place : null;
}

document.addEventListener("click", (event) => {
  const place = event.defaultPrevented ? null : placeOf(event);
  if (place) {
    event.preventDefault();
    document.querySelectorAll(".target").forEach((mark) => mark.classList.remove("target"));
    place.classList.add("target");
    show(place);
    history.replaceState(null, "", `#${place.id}`);
  }
  const button = event.target.closest("[data-act]");
  if (button && acts[button.dataset.act]) acts[button.dataset.act]();
});

// Keys do what a button or link of the page does; those that a page does not have do nothing.
const keys = {
  "?": acts.keys,
  "/": () => { const box = find("[data-search]"); if (box) { box.focus(); box.select(); } },
  o: () => find(".home").click(),
  j: () => step("[data-turn], [data-row]", 1),
  k: () => step("[data-turn], [data-row]", -1),
  d: acts.decision,
  e: acts.evidence,
  E: () => visit("evidence", -1),
  c: acts.copy,
  l: linkHere,
};

function press(key) {
  const target = all(`[data-key="${CSS.escape(key)}"]`)[0];
  if (target) {
    target.click();
    return true;
  }
  if (!keys[key]) return false;
  if (find("[data-turn], [data-row]") || "?/o".includes(key)) keys[key]();
  return true;
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  if (event.key === "Escape" && typing) return event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (press(event.key)) event.preventDefault();
});

// The overview looks again when a run has changed, and tells how far the reading of a large one is.
const page = find("[data-live]");
if (page) {
  const news = new EventSource("/live");
  news.addEventListener("message", (event) => {
    const { version, progress } = JSON.parse(event.data);
    for (const box of document.querySelectorAll(".progress")) tell(box, progress[box.dataset.run] || {});
    if (version !== page.dataset.live && !document.hidden && !document.activeElement.matches("input")) location.reload();
  });
  addEventListener("pagehide", () => news.close());
}

function tell(box, progress) {
  for (const line of box.children) {
    const done = progress[line.dataset.what];
    line.hidden = !done;
    if (!done) continue;
    const [bar, words] = [line.querySelector("progress"), line.querySelector("span")];
    [bar.value, bar.max] = done;
    words.textContent = done.map((number) => number.toLocaleString("en").replaceAll(",", "\u202f")).join(" of ");
  }
}

// Filters apply as they are ticked. On a narrow screen they are folded away.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.filters[action]");
  if (form && event.target.type === "checkbox") form.requestSubmit();
});
if (matchMedia("(max-width: 52rem)").matches) {
  for (const folded of document.querySelectorAll(".all-filters, .views:not(:has([aria-current]))")) folded.open = false;
}
const start = new URLSearchParams(location.search).get("span");
if (start && !location.hash) { const mark = document.getElementById(start); if (mark) show(mark); }
