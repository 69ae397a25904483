// Below the timeline: who is blocked where, the calls, and how it is known.

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
