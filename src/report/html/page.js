// The page's own code. It puts the data into place as text, draws the timeline, and steps through it.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { tasks, objects, calls, handoffs, chain } = data;

  /** Whether it is known what happened between calls and returns. */
  const known = data.steps.length > 0;
  const steps = known ? data.steps : fromCalls();

  /** The calls and returns as steps, by the clock that stamped them: of free threads no more is known. */
  function fromCalls() {
    const moments = calls.flatMap((call, index) => [
      { at: call.called, task: call.task, did: `calls ${call.op}`, call: index },
      ...(call.returned === null ? [] : [{ at: call.returned, task: call.task, did: `returns from ${call.op}`, call: index }]),
    ]);
    moments.sort((one, other) => one.at - other.at);
    return moments.map(({ task, did, call }, index) => {
      const stuck = (name) => (index === moments.length - 1 ? data.blocked.find((blocked) => blocked.task === name) : undefined);
      const now = ({ name }) => (stuck(name) ? { is: "waits", text: stuck(name).lines[0]?.[0] } : { is: "ready" });
      return { task, did, call, switch: "on", why: null, place: null, matters: true, time: 0, tasks: tasks.map(now), objects: [] };
    });
  }

  // ---- Making elements -----------------------------------------------------------------------------------------

  const SVG = "http://www.w3.org/2000/svg";
  const put = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  };
  const el = (name, attributes = {}, ...children) => put(document.createElement(name), attributes, children);
  const svg = (name, attributes = {}, ...children) => put(document.createElementNS(SVG, name), attributes, children);

  /** Text in which what stands in backticks is code. */
  const words = (text, code = (part) => el("code", {}, part)) =>
    text.split("`").map((part, index) => (index % 2 ? code(part) : part));
  const plain = (text) => text.replaceAll("`", "");
  const many = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const taskName = (index) => tasks[index]?.name ?? "?";
  /** The file and line of a place, without its folders. */
  const short = (place) => place.slice(place.lastIndexOf("/") + 1);

  // ---- The head: what was found, and who waits for whom ---------------------------------------------------------

  const links = chain?.links ?? [];
  const inCycle = new Set(links.map((link) => link.task));

  function head() {
    const op = (task) => calls.find((call) => call.task === task && call.returned === null)?.op;
    const box = (task) =>
      el("li", { class: "box" }, el("b", {}, taskName(task)), op(task) ? el("span", {}, op(task)) : null);
    const arrow = (text) => el("li", { class: "arrow" }, el("span", {}, words(text)));
    const ring = el("ol", { class: "chain", "aria-label": "Who waits for whom" });
    links.forEach((link) => ring.append(box(link.task), arrow(link.text)));
    if (chain && chain.to.length > 0) {
      const back = chain.to.filter((task) => inCycle.has(task));
      chain.to.forEach((task) => {
        const again = back.includes(task);
        ring.append(
          el("li", { class: again ? "box again" : "box" }, el("b", {}, taskName(task)), el("span", {}, words(chain.end || "and so on"))),
        );
      });
    } else if (chain && chain.end) {
      ring.append(el("li", { class: "box nobody" }, words(chain.end)));
    }
    const preemptions = steps.filter((step) => step.switch === "preempts").length;
    const ops = data.script.parts.reduce((sum, part) => sum + part.ops.length, 0);
    const size = [many(ops, "op")];
    if (known) size.push(many(steps.length, "sync point"), many(preemptions, "preemption"));
    put(document.getElementById("head"), {}, [
      el(
        "p",
        { class: "title" },
        el("span", { class: `verdict ${data.verdict}` }, data.verdict),
        el("span", { class: "class" }, data.class),
        el("span", { class: "where" }, "in ", el("b", {}, data.subject), ` · ${size.join(" · ")}`),
      ),
      el("h1", {}, words(data.sentence)),
      links.length > 0 ? ring : null,
    ]);
  }

  // ---- The script ----------------------------------------------------------------------------------------------

  const lines = [];

  function program() {
    const part = (part) =>
      el(
        "div",
        { class: "part" },
        el("h3", {}, part.name),
        el(
          "ol",
          {},
          part.ops.map((op) => {
            const call = op.call === null ? null : calls[op.call];
            const marks = call ? [call.shows && "shows", call.against && "against"].filter(Boolean) : [];
            const line = el(
              "li",
              { class: marks.join(" ") },
              call && steps.length > 0
                ? el("button", { type: "button", onclick: () => go(call.called) }, op.text)
                : el("span", {}, op.text),
              el("i", {}),
            );
            lines.push({ line, call });
            return line;
          }),
        ),
      );
    document
      .getElementById("program")
      .append(el("h2", {}, "Script"), el("p", { class: "config" }, data.script.config), ...data.script.parts.map(part));
  }

  /** How far each op of the script is after a step. */
  function markScript(step) {
    for (const { line, call } of lines) {
      const begun = call && call.called <= step;
      const done = begun && call.returned !== null && call.returned <= step;
      line.classList.toggle("done", Boolean(done));
      line.classList.toggle("open", Boolean(begun && !done));
      line.classList.toggle("here", Boolean(call && steps[step]?.call !== null && calls[steps[step]?.call] === call));
      const never = call === null ? "never called" : "";
      line.lastChild.textContent = done ? (call.result ?? "") : begun ? (step === steps.length - 1 && call.returned === null ? "never returns" : "…") : never;
    }
  }

  // ---- The timeline: a column a task, time downwards --------------------------------------------------------------

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
    const least = Math.max(150, ...links.map((link) => measure(plain(link.text), FONT) + 48));
    for (let short = -over; short > 0; short -= 8) {
      const widest = wanted.indexOf(Math.max(...wanted));
      if (wanted[widest] < least + 8) break;
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

  // ---- The state at a step ----------------------------------------------------------------------------------------

  const chip = (task, kind = "") => el("span", { class: `chip ${kind}` }, taskName(task));

  function waitersOf(state, object, side) {
    return state.tasks.flatMap((now, task) => ((now.on ?? []).some(([id, how]) => id === object && how === side) ? [task] : []));
  }

  function queue(object, index, book, state) {
    const senders = waitersOf(state, index, "send"), receivers = waitersOf(state, index, "recv");
    const cells = object.capacity === null ? book.length : object.capacity;
    const slots = cells > 12
      ? [el("span", { class: "count" }, object.capacity === null ? many(book.length, "message") : `${book.length} of ${cells}`)]
      : Array.from({ length: cells }, (_, place) => el("span", { class: place < book.length ? "slot full" : "slot" }));
    const middle = object.capacity === 0 ? el("span", { class: "meet" }, "rendezvous") : el("span", { class: "slots" }, slots);
    const none = [book.senders === 0 && "no sender left", book.receivers === 0 && "no receiver left"].filter(Boolean).join(", ");
    return [
      el("div", { class: "queue" }, el("span", { class: "side" }, senders.map((task) => chip(task, "waits"))), el("span", { class: "flow" }, "→"), middle, el("span", { class: "flow" }, "→"), el("span", { class: "side right" }, receivers.map((task) => chip(task, "waits")))),
      el("p", { class: "note" }, [object.capacity === 0 ? many(book.sent, "message") + " passed" : `${book.length}${object.capacity === null ? "" : ` of ${object.capacity}`} in it, ${book.sent} sent`, none].filter(Boolean).join(" · ")),
    ];
  }

  function lock(index, book, state) {
    const waiting = [...waitersOf(state, index, "lock"), ...waitersOf(state, index, "read")];
    const holders = book.holders ?? [];
    return [
      el("div", { class: "queue" }, holders.length > 0 ? ["held by ", holders.map((task) => chip(task, "holds"))] : el("span", { class: "free" }, "free")),
      waiting.length > 0 ? el("div", { class: "queue" }, "waited for by ", waiting.map((task) => chip(task, "waits"))) : null,
    ];
  }

  function group(index, book, state) {
    const waiting = waitersOf(state, index, "recv");
    return [
      el("div", { class: "queue" }, book.senders > 0 ? "not done" : "done"),
      waiting.length > 0 ? el("div", { class: "queue" }, "waited for by ", waiting.map((task) => chip(task, "waits"))) : null,
    ];
  }

  function now(step) {
    const place = document.getElementById("now");
    if (!place) return;
    const state = steps[step];
    const before = steps[step - 1];
    if (!state) return place.remove();
    const task = (entry, index) => {
      const running = index === state.task && entry.is === "ready";
      const is = running ? "runs" : entry.is === "waits" && entry.served ? "can go on" : entry.is;
      const stuck = step === shows && inCycle.has(index) && entry.is === "waits";
      return el("li", { class: `${is.replaceAll(" ", "-")}${stuck ? " stuck" : ""}` }, el("b", {}, taskName(index)), el("span", {}, is), entry.text ? el("p", {}, words(entry.text)) : null);
    };
    const object = (book, index) => {
      const known = objects[index];
      if (known.part) return null;
      const signature = (from) => from && JSON.stringify([from.objects[index], ["send", "recv", "lock", "read", "notify"].map((side) => waitersOf(from, index, side))]);
      const changed = before && signature(before) !== signature(state);
      const body = known.kind === "channel" ? queue(known, index, book, state) : known.kind === "wait-group" ? group(index, book, state) : known.kind === "condvar" ? el("div", { class: "queue" }, waitersOf(state, index, "notify").map((task) => chip(task, "waits"))) : lock(index, book, state);
      return el("li", { class: changed ? "changed" : "" }, el("h3", { title: `made at ${known.made}` }, words(known.name)), body);
    };
    const shownTasks = state.tasks.map((entry, index) => (columns.includes(index) ? task(entry, index) : null));
    place.replaceChildren();
    put(place, {}, [
      el("h2", {}, known ? `After sync point ${step + 1}` : "At this moment"),
      el("p", { class: "did", "aria-live": "polite" }, el("b", {}, taskName(state.task)), " ", words(state.did)),
      el("p", { class: "reason" }, [state.why && [words(state.why), ", so it goes on"], state.place && [state.why ? " · " : "", state.place]].flat()),
      el("ul", { class: "tasks", "aria-label": "Tasks" }, shownTasks),
      known ? el("ul", { class: "objects", "aria-label": "Queues and locks" }, state.objects.map(object)) : null,
    ]);
  }

  // ---- Below: who is blocked where, the calls, how it was found -----------------------------------------------------

  function more() {
    const place = document.getElementById("more");
    if (data.blocked.length > 0) {
      place.append(
        el("section", { class: "blocked" }, el("h2", {}, data.verdict === "hang" ? "Blocked for ever" : "Tasks at the end"),
          data.blocked.map((task) =>
            el("div", { class: "goroutine" },
              el("h3", {}, task.task, el("span", {}, ` [${task.state}]${task.op ? `: ${task.op}` : ""}`)),
              task.lines.map(([text, where]) => el("p", {}, words(text), where && task.stack.length === 0 ? el("code", { class: "at" }, ` ${where}`) : null)),
              el("ol", { class: "stack" }, task.stack.map(([call, where]) => el("li", {}, el("code", {}, call), " ", el("code", { class: "at" }, where))))))),
      );
    }
    const row = (call) =>
      el("tr", { class: [call.shows && "shows", call.against && "against"].filter(Boolean).join(" ") },
        el("td", { class: "stamp" }, `${call.stamps[0]}–${call.stamps[1] ?? "…"}`), el("td", {}, taskName(call.task)),
        el("td", {}, el("code", {}, call.op), call.events ? ` ${call.events}` : ""), el("td", {}, call.result ?? "never returns"),
        el("td", { class: "mark" }, call.shows ? "shows it" : call.against ? "contradicts it" : call.wind_down ? "wind-down" : ""));
    if (calls.length > 0) {
      place.append(
        el("section", { class: "history" }, el("h2", {}, "Calls and returns"),
          el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ["Clock", "Task", "Call", "Returned", ""].map((name) => el("th", {}, name)))), el("tbody", {}, calls.map(row))))),
      );
    }
    place.append(el("section", { class: "facts" }, el("h2", {}, "How it is known"), el("dl", {}, data.facts.map(([name, text]) => [el("dt", {}, name), el("dd", {}, words(text))]))));
  }

  // ---- Stepping ------------------------------------------------------------------------------------------------------

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
})();
