// Puts everything in its place, as the address says.

function setTheme(theme) {
  state.set("theme", theme);
  applyTheme();
}

function applyTheme() {
  const theme = state.get("theme");
  if (theme === "dark" || theme === "light") {
    document.documentElement.dataset.theme = theme;
  } else {
    delete document.documentElement.dataset.theme;
  }
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

// Figures are drawn when they come near the screen.
function watchFigures() {
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        watcher.unobserve(target);
        charts.set(target.id, new Chart(target, data.charts[target.id]));
      }
    }
  }, { rootMargin: "600px" });
  for (const id of Object.keys(data.charts)) {
    const figure = document.getElementById(id);
    if (figure) {
      watcher.observe(figure);
    }
  }
}

function makeHeader() {
  const tools = make("div", { class: "tools" },
    button("light / dark", "the other theme", () => setTheme(isDark() ? "light" : "dark")),
    copyButton("copy link", "copy the address of this view", () => location.href));
  document.getElementById("top").append(tools);
}

function applyState() {
  state.read();
  applyTheme();
  readHidden();
}

function start() {
  applyState();
  makeHeader();
  if (data.agents.length) {
    makeAgentBar();
  }
  document.querySelectorAll("figure.sheet").forEach(makeTable);
  document.querySelectorAll(".tasks").forEach(makeTaskFilter);
  document.querySelectorAll("pre.copy").forEach(withCopy);
  makeRuns();
  onAgents.push(() => charts.forEach((chart) => chart.draw()));
  showHidden();
  watchFigures();
  followLinks();
  addEventListener("hashchange", () => location.reload());
  if (state.get("net")) {
    openNetwork(Number(state.get("net")));
  }
  if (state.get("at")) {
    goTo(state.get("at"));
  }
}

start();
