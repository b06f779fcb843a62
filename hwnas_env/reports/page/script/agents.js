// Agents: what they look like, and which of them are hidden.

const STAR = Array.from({ length: 10 }, (_, n) => {
  const r = n % 2 ? 0.5 : 1.25, a = (n * Math.PI) / 5;
  return `${(r * Math.sin(a)).toFixed(2)},${(-r * Math.cos(a)).toFixed(2)}`;
}).join("L");
const polygon = (corners, turn) => Array.from({ length: corners }, (_, n) => {
  const a = ((n + turn) * 2 * Math.PI) / corners;
  return `${(1.1 * Math.sin(a)).toFixed(2)},${(-1.1 * Math.cos(a)).toFixed(2)}`;
}).join("L");
const MARKERS = {  // outlines about a point, with a radius of 1
  "o": "M-1,0A1,1 0 1 0 1,0A1,1 0 1 0 -1,0Z",
  "s": "M-.9,-.9H.9V.9H-.9Z",
  "D": "M0,-1.25L1.25,0L0,1.25L-1.25,0Z",
  "d": "M0,-1.3L.8,0L0,1.3L-.8,0Z",
  "^": "M0,-1.15L1.1,.9H-1.1Z",
  "v": "M0,1.15L1.1,-.9H-1.1Z",
  "<": "M-1.15,0L.9,1.1V-1.1Z",
  ">": "M1.15,0L-.9,1.1V-1.1Z",
  "P": "M-.4,-1.1H.4V-.4H1.1V.4H.4V1.1H-.4V.4H-1.1V-.4H-.4Z",
  "X": "M-1.1,-.6L-.6,-1.1L0,-.5L.6,-1.1L1.1,-.6L.5,0L1.1,.6L.6,1.1L0,.5L-.6,1.1L-1.1,.6L-.5,0Z",
  "x": "M-1,-1L1,1M-1,1L1,-1",
  "*": `M${STAR}Z`,
  "h": `M${polygon(6, 0)}Z`,
  "p": `M${polygon(5, 0)}Z`,
  "8": `M${polygon(8, 0.5)}Z`,
};

// A marker at a place, as a path; radius in pixels.
function marker(agent, x, y, radius = 4) {
  const look = data.agents[agent];
  return draw("path", {
    d: MARKERS[look.marker] ?? MARKERS.o,
    transform: `translate(${x.toFixed(1)},${y.toFixed(1)}) scale(${radius})`,
    style: `fill:${look.colour};stroke:${look.colour}`,
    class: look.marker === "x" ? "mark open" : "mark",
  });
}

function mark(agent) {
  return draw("svg", { class: "key", viewBox: "-6 -6 12 12", "aria-hidden": "true" },
    marker(agent, 0, 0));
}

function agentName(agent) {
  const name = data.agents[agent].name;
  return name.length > 34 ? `${name.slice(0, 33)}…` : name;
}

const hidden = new Set();
const onAgents = [];  // what is drawn again when agents are hidden or shown

function readHidden() {
  const names = new Set(state.get("off").split(" ").filter(Boolean).map(decodeURIComponent));
  hidden.clear();
  data.agents.forEach((look, agent) => names.has(look.name) && hidden.add(agent));
}

function hide(wanted) {
  hidden.clear();
  wanted.forEach((agent) => hidden.add(agent));
  const names = [...hidden].map((agent) => encodeURIComponent(data.agents[agent].name));
  state.set("off", names.join(" "));
  showHidden();
}

function showHidden() {
  for (const chip of document.querySelectorAll(".agents [data-chip]")) {
    chip.setAttribute("aria-pressed", String(!hidden.has(Number(chip.dataset.chip))));
  }
  for (const row of document.querySelectorAll("tr[data-agent]")) {
    row.classList.toggle("off", hidden.has(Number(row.dataset.agent)));
  }
  onAgents.forEach((act) => act());
}

// The key of all figures: a press hides or shows an agent, two show it alone.
function makeAgentBar() {
  const every = data.agents.map((_, agent) => agent);
  const bar = make("div", { class: "agents", role: "group", "aria-label": "Agents" });
  for (const agent of every) {
    const toggle = () => hide(every.filter((a) => (a === agent) !== hidden.has(a)));
    const chip = button("", `${agentName(agent)}: hide or show; twice: alone`, toggle);
    chip.dataset.chip = agent;
    chip.append(mark(agent), agentName(agent));
    chip.addEventListener("dblclick", () => hide(every.filter((a) => a !== agent)));
    bar.append(chip);
  }
  bar.append(
    button("all", "show all agents", () => hide([])),
    button("none", "hide all agents", () => hide(every)),
  );
  document.querySelector("main").before(bar);
  for (const head of document.querySelectorAll("tr[data-agent] > th")) {
    head.prepend(mark(Number(head.parentElement.dataset.agent)));
  }
}
