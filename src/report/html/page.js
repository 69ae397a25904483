// What is on the page at all times: what was found, who waits for whom, and the script. All data is put into place as text.
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
