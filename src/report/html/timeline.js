// The timeline: a column a task, time downwards.

const TOP = 56, GUTTER = 50, BAR = 9, TEXT = 20, LINK = 42, LINE = 15;
let all = false;
/** The steps that are shown, in order; what lies between two of them is folded into the first. */
let rows = [];
let current = 0;
let rowNodes = [];

const measure = (() => {
  const canvas = document.createElement("canvas").getContext("2d");
  return (text, font) => {
    canvas.font = font;
    return canvas.measureText(text).width;
  };
})();
const FONT = '13px system-ui, -apple-system, "Segoe UI", sans-serif';

/** The text in lines of that width, if its words are no longer. */
function fold(text, width) {
  const folded = [];
  for (const word of text.split(" ")) {
    const longer = folded.length > 0 ? `${folded.at(-1)} ${word}` : word;
    if (folded.length > 0 && measure(plain(longer), FONT) <= width) folded[folded.length - 1] = longer;
    else folded.push(word);
  }
  // A pair of backticks may have been parted.
  let open = false;
  return folded.map((line) => {
    const whole = `${open ? "`" : ""}${line}`;
    open = whole.split("`").length % 2 === 0;
    return open ? `${whole}\`` : whole;
  });
}

/** The tasks that have a column: those that do something to be seen. */
let columns = [];
/** Where each column begins and ends. */
let edges = [];

/** The step at which what was found has shown: the last one of a hang, otherwise where the call returns that shows it. */
const shows = (() => {
  const last = steps.length - 1;
  if (data.verdict === "hang") return last;
  const panic = steps.findIndex((step) => step.tasks[step.task].is === "panicked");
  const call = calls.find((call) => call.shows);
  if (call) return call.returned ?? last;
  return panic < 0 ? last : panic;
})();

/** What happens after it is wound down, and shown only on demand. */
function visible() {
  const index = steps.map((_, index) => index);
  return index.filter((index) => all || (index <= shows && (steps[index].matters || index === shows)));
}

/** The row that shows a step, or what came before it. */
function rowOf(step) {
  let row = 0;
  while (row + 1 < rows.length && rows[row + 1] <= step) row += 1;
  return row;
}

/** The stretches of rows in which a task waits: from the one it begins in to the one it goes on in. */
function waits(task) {
  const found = [];
  let open = null;
  rows.forEach((step, row) => {
    const now = steps[step].tasks[task];
    const waiting = now?.is === "waits";
    if (open && (!waiting || steps[step].task === task)) {
      found.push({ ...open, until: row });
      open = null;
    }
    if (waiting && !open) open = { from: row, text: now.text, on: now.on ?? [] };
  });
  if (open) found.push({ ...open, until: null });
  return found;
}

/** Who waits for whom stands beside an arrow: in the column of the one further left. */
function leftmost(link, index) {
  const goals = links[index + 1] ? [links[index + 1].task] : chain.to;
  return columns.find((task) => task === link.task || goals.includes(task));
}

function time() {
  const place = document.getElementById("time");
  place.replaceChildren();
  if (steps.length === 0) return place.remove();
  rows = visible();
  columns = tasks.map((_, task) => task).filter((task) => rows.some((step) => steps[step].task === task) || (!known && inCycle.has(task)));
  // A column is as wide as its texts are, within reason; what is left over is shared.
  const wanted = columns.map((task) => {
    const texts = rows.filter((step) => steps[step].task === task).map((step) => plain(steps[step].did));
    const widest = Math.max(100, ...texts.map((text) => measure(text, FONT)));
    return Math.min(widest, 225) + TEXT + BAR + 24;
  });
  const left = () => place.clientWidth - 2 * parseFloat(getComputedStyle(place).paddingLeft) - GUTTER - wanted.reduce((sum, wide) => sum + wide, 0);
  place.parentElement.classList.remove("tight");
  place.parentElement.classList.toggle("tight", innerWidth < 1320 || left() < 0);
  const over = left();
  if (over > 0) wanted.forEach((wide, index) => (wanted[index] = wide + Math.min(60, over / columns.length)));
  // If there is too little, the widest give way, up to a point.
  const least = columns.map((task) => Math.max(150, ...links.filter((link, index) => leftmost(link, index) === task).map((link) => measure(plain(link.text), FONT) + 48)));
  for (let short = -over; short > 0; short -= 8) {
    const spare = wanted.map((wide, column) => (wide < least[column] + 8 ? 0 : wide));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    wanted[widest] -= 8;
  }
  const xs = [];
  let width = GUTTER;
  edges = [];
  for (const wide of wanted) {
    xs.push(width + BAR + 6);
    edges.push([width - 10, width + wide]);
    width += wide;
  }
  const x = (task) => xs[columns.indexOf(task)];
  const room = (task) => wanted[columns.indexOf(task)] - TEXT - BAR - 14;
  // What each row says, and how high that makes it.
  const said = rows.map((step) => {
    const { task, did, place: where, switch: how, why } = steps[step];
    const texts = fold(did, room(task));
    const ends = calls.find((call) => call.returned === step && call.task === task);
    const result = ends?.result && !ends.result.startsWith("panicked") ? `→ ${ends.result}` : "";
    const below = fold([where && short(where), result].filter(Boolean).join("  "), room(task)).filter(Boolean);
    const above = why && how === "preempts" ? `⇢ ${plain(why)}` : "";
    return { texts, below, above, high: (texts.length + below.length + (above ? 1 : 0)) * LINE + 17 };
  });
  const tops = [TOP];
  said.forEach(({ high }, row) => tops.push(tops[row] + high));
  /** Where the dot of a row is: beside the first line of what its step did. */
  const y = (row) => tops[row] + 17 + (said[row].above ? LINE : 0);
  const bottom = tops[rows.length];
  const hangs = data.verdict === "hang" && links.length > 0;
  const floor = hangs ? bottom + 36 + (links.length - 1) * LINK + (chain.end ? 30 : 18) : bottom + 8;
  const height = floor + 8;

  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "Timeline: a column for each task, time goes down" });
  root.append(
    svg("defs", {},
      ["tip", "tip-red", "tip-faint"].map((id) =>
        svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" },
          svg("path", { d: "M0.5,0.8 L7.5,4 L0.5,7.2 Z" }))),
      svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 6, height: 6, class: "hatch-ground" }), svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "hatch-line" })),
      svg("pattern", { id: "hatch-red", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 6, height: 6, class: "hatch-ground red" }), svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "hatch-line red" }))),
  );

  // The bands that rows lie on: the one at hand is marked.
  rowNodes = rows.map((step, row) => ({ step, nodes: [], band: svg("rect", { class: "band", x: 0, y: tops[row], width, height: said[row].high, rx: 6, onclick: () => go(step) }) }));
  root.append(svg("g", {}, rowNodes.map((row) => row.band)));
  const at = (row, ...nodes) => (rowNodes[row].nodes.push(...nodes), nodes);

  // Columns: heads and life lines.
  for (const task of columns) {
    const first = Math.max(0, rows.findIndex((step) => steps[step].tasks.length > task || steps[step].task === task));
    const stopped = rows.findIndex((step) => ["ended", "panicked"].includes(steps[step].tasks[task]?.is));
    const to = stopped < 0 ? floor : y(stopped);
    root.append(
      svg("text", { class: "task", x: x(task) - BAR / 2, y: 24 }, taskName(task)),
      svg("text", { class: "of", x: x(task) - BAR / 2, y: 41 }, { subject: "the subject's own", harness: "winds down", script: "of the script" }[tasks[task].of]),
      svg("line", { class: "life", x1: x(task), y1: y(first), x2: x(task), y2: to }),
    );
  }

  // Ops, from call to return.
  for (const call of calls) {
    if (x(call.task) === undefined || call.called > rows.at(-1)) continue;
    const from = rowOf(call.called);
    const until = call.returned === null || call.returned > rows.at(-1) ? null : rowOf(call.returned);
    const top = y(from) - 13;
    const down = until === null ? floor : Math.max(y(until) + 13, tops[until + 1] - 6);
    const marks = [call.shows && "shows", call.against && "against"].filter(Boolean).join(" ");
    root.append(...at(from, svg("rect", { class: `op ${marks}`, x: x(call.task) - BAR, y: top, width: 2 * BAR, height: down - top, rx: 5 },
      svg("title", {}, `${call.op} ${call.events}${call.result ? ` → ${call.result}` : ": never returns"}`))));
  }

  // Waits, shaded with what they wait for.
  const forEver = (task, wait) => wait.until === null && (data.verdict === "hang" || inCycle.has(task));
  for (const task of columns) {
    for (const wait of waits(task)) {
      const top = y(wait.from) + 15;
      const down = wait.until === null ? floor : y(wait.until) - 15;
      const red = forEver(task, wait) && inCycle.has(task);
      if (down <= top) continue;
      const shade = svg("rect", { class: `wait${red ? " red" : ""}`, x: x(task) - 4, y: top, width: 8, height: down - top, rx: 3, fill: red ? "url(#hatch-red)" : "url(#hatch)" },
        svg("title", {}, `${taskName(task)} waits ${plain(wait.text)}`));
      root.append(...at(wait.from, shade));
      // Long waits say again what they are for.
      const long = wait.until === null ? rows.length - wait.from : wait.until - wait.from;
      if (long >= 3) {
        const middle = wait.from + Math.min(2, Math.floor(long / 2));
        const lines = fold(`waits ${wait.text}`, room(task));
        root.append(...at(middle, ...lines.map((line, index) =>
          svg("text", { class: `waiting${red ? " red" : ""}`, x: x(task) + TEXT, y: y(middle) + 4 + index * LINE }, tspans(line)))));
      }
    }
  }

  // Hand-offs.
  for (const { from, to, what, object } of handoffs) {
    const [a, b] = [steps[from].task, steps[to].task];
    if (x(a) === undefined || x(b) === undefined) continue;
    if (to > rows.at(-1)) continue;
    const [rowA, rowB] = [rowOf(from), rowOf(to)];
    const side = Math.sign(x(b) - x(a));
    const [x1, x2, y1] = [x(a) + side * BAR, x(b) - side * (BAR + 2), y(rowA)];
    const y2 = what === "start" ? y1 : y(rowB);
    const bend = Math.abs(x2 - x1) / 2;
    const tip = what === "start" || what === "end" ? "tip-faint" : "tip";
    const path = svg("path", { class: `hand ${what}`, d: `M${x1},${y1} C${x1 + side * bend},${y1} ${x2 - side * bend},${y2} ${x2},${y2}`, "marker-end": `url(#${tip})` },
      svg("title", {}, `${what}${object === null ? "" : ` of ${plain(objects[object].name)}`}: ${taskName(a)} to ${taskName(b)}`));
    root.append(...at(what === "start" ? rowA : rowB, path));
  }

  // What each step did.
  rows.forEach((step, row) => {
    const { task, place: where, switch: how, why } = steps[step];
    const { texts, below, above } = said[row];
    if (x(task) === undefined) return;
    const begins = calls.find((call) => call.called === step && call.task === task);
    const red = inCycle.has(task) && steps[step].tasks[task].is === "waits" && steps.slice(step + 1).every((later) => later.task !== task);
    const nodes = [
      svg("text", { class: "number", x: 4, y: y(row) + 4 }, String(step + 1)),
      svg("circle", { class: `dot${red ? " red" : ""}${how === "preempts" ? " preempts" : ""}`, cx: x(task), cy: y(row), r: 4.5 }),
      ...texts.map((text, line) => svg("text", { class: `did${begins ? " begins" : ""}${red ? " red" : ""}`, x: x(task) + TEXT, y: y(row) + 4 + line * LINE }, tspans(text))),
      ...below.map((text, line) => svg("text", { class: "place", x: x(task) + TEXT, y: y(row) + 4 + (texts.length + line) * LINE }, text)),
      above ? svg("text", { class: "why", x: x(task) + TEXT, y: y(row) + 4 - LINE }, above) : "",
      svg("title", {}, [why && `${plain(why)}, so ${taskName(task)} goes on`, where].filter(Boolean).join("\n")),
    ].filter(Boolean);
    root.append(svg("g", { class: "step", onclick: () => go(step) }, at(row, ...nodes)));
  });

  // In the end: who waits for whom, for ever.
  if (hangs) {
    const nodes = [svg("line", { class: "end", x1: 0, y1: bottom + 6, x2: width, y2: bottom + 6 }), svg("text", { class: "forever", x: 2, y: bottom + 22 }, "for ever")];
    links.forEach((link, index) => {
      const next = links[index + 1]?.task;
      const goals = next === undefined ? chain.to : [next];
      const line = bottom + 36 + index * LINK;
      for (const goal of goals.length > 0 ? goals : [null]) {
        if (x(link.task) === undefined) continue;
        const x1 = x(link.task);
        const x2 = goal === null || x(goal) === undefined || goal === link.task ? x1 + 60 : x(goal);
        nodes.push(svg("circle", { class: "dot red", cx: x1, cy: line, r: 3.5 }));
        nodes.push(svg("line", { class: `link${goal === null ? " loose" : ""}`, x1, y1: line, x2: x2 - Math.sign(x2 - x1) * (BAR + 1), y2: line, "marker-end": goal === null ? null : "url(#tip-red)" }));
        const words = { class: "did red", x: Math.min(x1, x2) + BAR + 8 };
        nodes.push(svg("text", { ...words, y: line - 7 }, tspans(link.text)));
        if (next === undefined) nodes.push(svg("text", { ...words, y: line + 17 }, tspans(chain.end)));
      }
    });
    const group = svg("g", { class: "cycle" }, nodes);
    root.append(group);
    rowNodes.at(-1).nodes.push(group);
  }
  place.append(
    el("div", { class: "bar" }, el("h2", {}, "Timeline"),
      known ? el("label", {}, el("input", { type: "checkbox", id: "all", onchange: (event) => { all = event.target.checked; time(); go(current); } }), " every sync point") : el("span", { class: "note" }, "calls and returns alone: of free threads no more is known")),
    el("div", { class: "chart", tabindex: 0, role: "group", "aria-label": "Timeline" }, root),
  );
  if (known) document.getElementById("all").checked = all;
}

const tspans = (text) => words(text, (part) => svg("tspan", { class: "code" }, part));
