"use strict";

// Tables: a click on a heading sorts by it, numbers from the greatest at first, unknown ones last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const text = heading.dataset.kind === "text";
    const first = text ? "ascending" : "descending";
    const other = text ? "descending" : "ascending";
    const order = heading.ariaSort === first ? other : first;
    headings.forEach((each) => { each.ariaSort = each === heading ? order : "none"; });
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.cells[column].dataset.value;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      if (text) return sign * value(a).localeCompare(value(b), undefined, { numeric: true });
      if (value(a) === "" || value(b) === "") return (value(a) === "") - (value(b) === "");
      return sign * (Number(value(a)) - Number(value(b)));
    });
    table.tBodies[0].append(...rows);
  }));
}

// The filter hides what does not fit in every table and chart of the page, and stands in the address.
const form = document.querySelector("form.filters");

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const fits = (data) =>
    data.algorithm.toLowerCase().includes(wanted.algorithm.trim().toLowerCase())
    && (!wanted.family || !data.family || data.family.split("|").includes(wanted.family))
    && (!wanted.task || !data.task || data.task.split("|").includes(wanted.task))
    && (!data.runs || Number(data.runs) >= Number(wanted.runs))
    && (data.kind === "algorithm" || data.kind in wanted);
  for (const item of document.querySelectorAll("[data-algorithm]")) item.hidden = !fits(item.dataset);
  for (const key of document.querySelectorAll("button.key")) draw(key);
  for (const table of document.querySelectorAll("table[data-rows]")) {
    const none = [...table.tBodies[0].rows].every((row) => row.hidden);
    table.closest(".scroll").hidden = none;
    table.closest("section").querySelector(".empty").hidden = !none;
  }
  const results = [...document.querySelectorAll("table[data-rows=results] tbody tr")];
  const shown = results.filter((row) => !row.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${results.length} results`;
}

// A line is drawn if its key is pressed and fits the filter.
function draw(key) {
  const line = key.closest("figure").querySelector(`g[data-line="${key.dataset.line}"]`);
  line.toggleAttribute("hidden", key.hidden || key.ariaPressed !== "true");
}

// After #?, as pages opened from a file may change nothing else of their address.
function remember() {
  const unset = { algorithm: "", family: "", task: "", runs: "1" };
  const chosen = [...new FormData(form)].filter(([name, value]) => value !== unset[name]);
  const here = location.pathname + location.search;
  if (chosen.length) history.replaceState(null, "", `${here}#?${new URLSearchParams(chosen)}`);
  else if (location.hash.startsWith("#?")) history.replaceState(null, "", here);
}

function recall() {
  if (location.hash.startsWith("#?")) {
    form.reset();
    for (const [name, value] of new URLSearchParams(location.hash.slice(2))) {
      const field = form.elements.namedItem(name);
      if (!field) continue;
      if (field.type === "checkbox") field.checked = true;
      else field.value = value;
    }
  }
  filter();
}

const change = () => { filter(); remember(); };
form.addEventListener("input", change);
form.addEventListener("reset", () => setTimeout(change));
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", recall);
recall();

// Charts: what lies at the pointer is read out; the keys below choose the lines.
const number = (value, percent) =>
  percent
    ? `${Number((100 * value).toPrecision(3))}\u00a0%`
    : value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 1000 ? 4 : 9 });

for (const figure of document.querySelectorAll("figure.chart")) {
  const svg = figure.querySelector("svg[data-chart]");
  const chart = JSON.parse(svg.dataset.chart);
  const tip = figure.querySelector(".tip");
  const cursor = figure.querySelector(".cursor");
  const [low, high, left, right] = chart.x;
  const place = (x) => left + ((x - low) / (high - low)) * (right - left);
  const isShown = (index) => !figure.querySelector(`g[data-line="${index}"]`).hasAttribute("hidden");
  let at = null;

  function read(x) {
    const lines = chart.lines.map((line, index) => ({ ...line, index })).filter(({ index }) => isShown(index));
    const places = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    if (!places.length) return leave();
    at = places.reduce((best, each) => (Math.abs(each - x) < Math.abs(best - x) ? each : best));
    const rows = lines
      .map((line) => ({ ...line, k: line.x.indexOf(at) }))
      .filter((line) => line.k >= 0 && line.y[line.k] !== null)
      .sort((a, b) => b.y[b.k] - a.y[a.k]);
    const [percentX, percentY] = chart.percent;
    const head = document.createElement("b");
    head.textContent = number(at, percentX);
    tip.replaceChildren(head, ...rows.map((line) => {
      const row = document.createElement("div");
      row.className = `c${line.index % 8}`;
      const name = document.createElement("span");
      name.textContent = line.name;
      const value = document.createElement("span");
      const [y, from, to] = [line.y, line.low, line.high].map((column) => column[line.k]);
      const band = from === null ? "" : ` (${number(from, percentY)} to ${number(to, percentY)})`;
      value.textContent = number(y, percentY) + band;
      row.append(name, value);
      return row;
    }));
    cursor.setAttribute("transform", `translate(${place(at)} 0)`);
    cursor.removeAttribute("hidden");
    tip.hidden = false;
    // On the side where the pointer is not.
    tip.classList.toggle("leftwards", place(at) > (left + right) / 2);
    const share = place(at) / svg.viewBox.baseVal.width;
    tip.style.setProperty("--at", `${100 * share}%`);
    return at;
  }

  function leave() {
    tip.hidden = true;
    cursor.setAttribute("hidden", "");
    at = null;
  }

  function point(event) {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    read(low + ((x - left) / (right - left)) * (high - low));
  }

  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const places = [...new Set(chart.lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    const next = at === null ? 0 : places.indexOf(at) + step;
    read(places[Math.min(places.length - 1, Math.max(0, next))]);
  });
  for (const key of figure.querySelectorAll("button.key")) {
    key.addEventListener("click", () => {
      const shown = key.ariaPressed !== "true";
      key.ariaPressed = String(shown);
      draw(key);
    });
  }
}
