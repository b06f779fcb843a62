// What a pointer does over a chart: values, zoom by dragging, networks by a press.

const REACH = 28;  // pixels within which a point is found

function followPointer(chart) {
  const { box } = chart;
  const tip = make("div", { class: "tip", role: "status" });
  tip.hidden = true;
  box.append(tip);
  let start = null, step = -1;

  const place = (event) => {
    const frame = chart.drawing.getBoundingClientRect();
    const ratio = chart.size.width / frame.width;
    return { x: (event.clientX - frame.left) * ratio, y: (event.clientY - frame.top) * ratio };
  };
  const clear = () => {
    tip.hidden = true;
    box.querySelector(".cursor")?.remove();
  };
  const show = (found) => {
    clear();
    if (!found) {
      return;
    }
    tip.replaceChildren(...found.rows);
    tip.hidden = false;
    const ratio = box.clientWidth / chart.size.width;
    const right = found.x * ratio > box.clientWidth / 2;
    tip.style.left = right ? "" : `${found.x * ratio + 12}px`;
    tip.style.right = right ? `${box.clientWidth - found.x * ratio + 12}px` : "";
    tip.style.top = `${Math.max(0, found.y * ratio - 20)}px`;
    chart.drawing.append(found.cursor);
  };
  const inside = ({ x, y }) => {
    const { width, height, left } = chart.size;
    return x >= left && x <= width - ROOM.right && y >= ROOM.top && y <= height - ROOM.bottom;
  };
  const look = (at) => {
    const lines = chart.spec.kind === "lines";
    show(lines ? inside(at) && valuesAt(chart, at) : spotAt(chart, at));
  };

  box.addEventListener("pointerdown", (event) => {
    const at = place(event);
    if (event.pointerType !== "mouse") {
      look(at);
    } else if (event.button === 0 && inside(at)) {
      start = at;
    }
  });
  box.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (start && Math.abs(at.x - start.x) > 6) {
      clear();
      showDragged(chart, start, at);
    } else if (!start) {
      look(at);
    }
  });
  addEventListener("pointerup", (event) => {
    if (!start) {
      return;
    }
    const [from, to] = [start, place(event)];
    start = null;
    chart.drawing.querySelector(".dragged")?.remove();
    if (Math.abs(to.x - from.x) > 6) {
      const x = [from.x, to.x].sort((a, b) => a - b).map(chart.x.back);
      const flat = Math.abs(to.y - from.y) < 12 || chart.spec.kind === "dots";
      const y = [to.y, from.y].sort((a, b) => b - a).map(chart.y.back);
      chart.setZoom([...x, ...(flat ? [chart.y.low, chart.y.high] : y)]);
      clear();
    }
  });
  box.addEventListener("click", (event) => {
    const spot = nearest(chart, place(event));
    if (spot?.network >= 0) {
      openNetwork(spot.network, spot);
    }
  });
  box.addEventListener("dblclick", () => chart.setZoom(null));
  box.addEventListener("pointerleave", clear);
  box.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in ways) {
      event.preventDefault();
      step += ways[event.key];
      show(stepped(chart, step));
    } else if (event.key === "Enter") {
      const spot = inOrder(chart).at(step);
      if (step >= 0 && spot?.network >= 0) {
        openNetwork(spot.network, spot);
      }
    } else if (event.key === "Escape") {
      clear();
    }
  });
}

function showDragged(chart, from, to) {
  chart.drawing.querySelector(".dragged")?.remove();
  const flat = Math.abs(to.y - from.y) < 12 || chart.spec.kind === "dots";
  const [top, bottom] = [ROOM.top, chart.size.height - ROOM.bottom];
  chart.drawing.append(draw("rect", {
    class: "dragged", x: Math.min(from.x, to.x), width: Math.abs(to.x - from.x),
    y: flat ? top : Math.min(from.y, to.y), height: flat ? bottom - top : Math.abs(to.y - from.y),
  }));
}

function tipRow(agent, words, more = "") {
  const parts = agent === undefined ? [] : [mark(agent), `${agentName(agent)} `];
  return make("div", {}, ...parts, make("b", {}, words), more);
}

// The values of all agents at the place on x that is nearest, the largest first.
function valuesAt(chart, at) {
  const { xs, x, y } = chart.spec;
  const far = (n) => Math.abs(chart.x.at(xs[n]) - at.x);
  const n = xs.reduce((best, _, one) => (far(one) < far(best) ? one : best), 0);
  const place = chart.x.at(xs[n]);
  const series = [...chart.series].sort((a, b) => (b.y[n] ?? 0) - (a.y[n] ?? 0));
  const rows = series.map((one) => {
    const ends = one.low[n] === null ? "" : ` [${shown(one.low[n])}, ${shown(one.high[n])}]`;
    return tipRow(one.agent, shown(one.y[n]), ends);
  });
  const head = make("div", { class: "soft" }, `${x.title} ${shown(xs[n])}: ${y.title}`);
  const bottom = chart.size.height - ROOM.bottom;
  return { x: place, y: Math.min(at.y, 40), rows: [head, ...rows],
    cursor: draw("path", { class: "cursor", d: `M${place},${ROOM.top}V${bottom}` }) };
}

function nearest(chart, at) {
  let [found, least] = [null, REACH];
  for (const spot of inOrder(chart)) {
    const far = Math.hypot(spot.x - at.x, spot.y - at.y) + (spot.agent === undefined ? 4 : 0);
    if (far < least) {
      [found, least] = [spot, far];
    }
  }
  return found;
}

// Spots that are seen, from left to right.
function inOrder(chart) {
  const { width, height, left } = chart.size;
  return chart.spots
    .filter(({ x, y }) => x >= left - 4 && x <= width - ROOM.right + 4
      && y >= ROOM.top - 4 && y <= height - ROOM.bottom + 4)
    .sort((a, b) => a.x - b.x);
}

function aboutSpot(spot) {
  const [first, ...rest] = spot.words;
  const rows = [tipRow(spot.agent, first), ...rest.map((words) => make("div", {}, words))];
  if (spot.network >= 0) {
    rows.push(make("div", { class: "soft" }, "press to see the network"));
  }
  return { x: spot.x, y: spot.y, rows,
    cursor: draw("circle", { class: "cursor", cx: spot.x, cy: spot.y, r: 8 }) };
}

function spotAt(chart, at) {
  const spot = nearest(chart, at);
  return spot && aboutSpot(spot);
}

// What arrow keys come to: the next place on x, or the next point.
function stepped(chart, step) {
  if (chart.spec.kind === "lines") {
    const { xs } = chart.spec, n = Math.max(0, Math.min(step, xs.length - 1));
    return valuesAt(chart, { x: chart.x.at(xs[n]), y: 40 });
  }
  const spot = inOrder(chart).at(Math.max(0, step));
  return spot && aboutSpot(spot);
}
