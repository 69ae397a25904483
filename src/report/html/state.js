// The state of every task, queue and lock at a step.

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
