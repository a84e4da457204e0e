// The list of a folder, whose pairs are pages of their own: a search finds the pairs that hold all of the words.
const known = JSON.parse(find("#words").textContent);
const number = new Map(rows.map((row, at) => [row, at]));

// The last word may be only begun.
function holding(word, begun) {
  if (!begun) return new Set(Object.hasOwn(known, word) ? known[word] : []);
  return new Set(Object.keys(known).filter((one) => one.startsWith(word)).flatMap((one) => known[one]));
}

function finder(text) {
  const words = text.match(/[\p{L}\p{N}]+/gu) || [];
  const sets = words.map((word, at) => holding(word, at === words.length - 1));
  return (row) => sets.every((set) => set.has(number.get(row)));
}

function route() {
  choose();
  if (location.hash.includes("?")) find("#count").scrollIntoView();
}

addEventListener("hashchange", route);
route();
