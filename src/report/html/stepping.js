// Steps through what was drawn. Here the page begins.

let slider, label, buttons;

function controls() {
  const nav = document.getElementById("controls");
  if (steps.length === 0) return nav.remove();
  const button = (name, text, to) => el("button", { type: "button", "aria-label": name, title: name, onclick: to }, svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: text })));
  slider = el("input", { type: "range", min: 0, max: rows.length - 1, step: 1, "aria-label": "Sync point", oninput: () => go(rows[Number(slider.value)]) });
  label = el("output", {});
  buttons = [button("First step (Home)", "M3 3h2v10H3z M13 3v10L6 8z", () => go(rows[0])), button("Step back (←)", "M12 3v10L4 8z", () => by(-1)), button("Step forward (→)", "M4 3v10l8-5z", () => by(1)), button("Last step (End)", "M11 3h2v10h-2z M3 3v10l7-5z", () => go(rows.at(-1)))];
  nav.append(...buttons.slice(0, 2), slider, ...buttons.slice(2), label);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === slider) return;
    const keys = { ArrowLeft: () => by(-1), ArrowRight: () => by(1), Home: () => go(rows[0]), End: () => go(rows.at(-1)) };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

const by = (rowsOn) => go(rows[Math.max(0, Math.min(rows.length - 1, rowOf(current) + rowsOn))]);

function go(step) {
  current = rows[rowOf(step)] ?? step;
  mark();
  rowNodes[rowOf(current)]?.band.scrollIntoView({ block: "nearest", inline: "nearest" });
  // The column of the task, where not all of them fit.
  const chart = document.querySelector(".chart");
  const [from, to] = edges[columns.indexOf(steps[current]?.task)] ?? [];
  if (chart && from < chart.scrollLeft) chart.scrollLeft = from;
  if (chart && to > chart.scrollLeft + chart.clientWidth) chart.scrollLeft = to - chart.clientWidth;
}

function mark() {
  markScript(current);
  now(current);
  if (steps.length === 0) return;
  const here = rowOf(current);
  rowNodes.forEach(({ band, nodes }, row) => {
    band.classList.toggle("here", row === here);
    nodes.forEach((node) => {
      node.classList.toggle("later", row > here);
      node.classList.toggle("here", row === here);
    });
  });
  slider.max = rows.length - 1;
  slider.value = here;
  slider.setAttribute("aria-valuetext", `${current + 1}: ${taskName(steps[current].task)} ${plain(steps[current].did)}`);
  label.textContent = `${current + 1} of ${steps.length}`;
  buttons[0].disabled = buttons[1].disabled = here === 0;
  buttons[2].disabled = buttons[3].disabled = here === rows.length - 1;
}

head();
program();
current = Math.max(0, shows);
time();
controls();
more();
mark();
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  time();
  mark();
});
// On paper all of it has happened.
addEventListener("beforeprint", () => go(rows.at(-1) ?? 0));
