// Every run, in a table of which a part is shown: sorted, filtered, copied.

const RUN_TITLES = ["task", "agent", "seed", "score", "accuracy % or share", "cost",
  "queries", "wall s", "network"];
const SHOWN_RUNS = 20;

function makeRuns() {
  const words = document.querySelector("p.runs");
  if (!words || !data.runs) {
    return;
  }
  const titles = RUN_TITLES.map((title, n) => make("th",
    { scope: "col", class: n < 2 || n === 8 ? "" : "number" }, title));
  const body = make("tbody");
  const count = make("span", { class: "soft" });
  const box = make("div", { class: "table", role: "region", tabindex: "0", "aria-label": "Every run" },
    make("table", {}, make("thead", {}, make("tr", {}, ...titles)), body));
  const texts = data.runs.map(([task, agent, seed, , , , , , , failed]) =>
    `${data.tasks[task].name} ${data.agents[agent].name} seed=${seed}`
      + (failed ? " failed" : ""));
  let order = data.runs.map((_, n) => n), kept = order, limit = SHOWN_RUNS;

  const show = () => {
    const wanted = state.get("find.runs");
    kept = order.filter((n) => matches(texts[n], wanted));
    body.replaceChildren(...kept.slice(0, limit).map((n) => runRow(data.runs[n])));
    count.textContent = `${Math.min(limit, kept.length)} of ${kept.length} runs`;
  };
  const value = (n, place) => place === 0 ? data.tasks[data.runs[n][0]].name
    : place === 1 ? data.agents[data.runs[n][1]].name : String(data.runs[n][place] ?? "-");
  const isNumber = (place) => place > 1;
  const sort = sortable("runs", titles, isNumber, (place, sign) => {
    order = data.runs.map((_, n) => n);
    if (place >= 0) {
      order.sort((a, b) => compared(value(a, place), value(b, place), isNumber(place), sign));
    }
    show();
  });
  const tools = make("div", { class: "tools" },
    searchField("runs", "runs: task, agent, seed=3, failed", show),
    button("more", "show more runs", () => { limit *= 4; show(); }),
    copyButton("copy CSV", "copy all runs that match", () => asCsv(
      [RUN_TITLES, ...kept.map((n) => runCells(data.runs[n]))],
      (place) => place > 1 && place < 8)),
    count);
  const figure = make("figure", { class: "sheet", id: "runs-table" }, tools, box);
  words.replaceWith(figure);
  sort();
  hintWhereItScrolls(box);
}

function runCells([task, agent, seed, score, best, cost, queries, seconds, network]) {
  return [data.tasks[task].name, data.agents[agent].name, String(seed),
    ...[score, best, cost, queries, seconds].map(shown), readNetwork(network)?.name ?? "-"];
}

function runRow(run) {
  const [task, agent] = run, network = run[8];
  const [, , ...numbers] = runCells(run).slice(0, 8);
  const link = make("a", { href: `#${data.tasks[task].anchor}` }, data.tasks[task].name);
  const look = network >= 0 ? button("look", "see this network", () => openNetwork(network,
    { agent, words: [`seed ${run[2]}`, `${shown(run[4])} %`, `cost ${shown(run[5])}`] })) : "-";
  const row = make("tr", { "data-agent": agent }, make("th", { scope: "row" }, link),
    make("td", {}, mark(agent), agentName(agent), ...(run[9] ? [" (failed)"] : [])),
    ...numbers.map((words) => make("td", { class: "number" }, words)), make("td", {}, look));
  row.classList.toggle("off", hidden.has(agent));
  return row;
}
