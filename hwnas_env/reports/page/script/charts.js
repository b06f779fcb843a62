// Figures that are drawn here, in the place of the pictures that stand without script.
// A chart is "lines" (values over x with bands), "points" (places, with a line and
// verticals) or "dots" (a value and its interval, an agent a row).

const charts = new Map();
const ROOM = { top: 8, right: 14, bottom: 42, left: 58 };

class Chart {
  constructor(figure, spec) {
    this.figure = figure;
    this.spec = spec;
    this.id = figure.id;
    this.box = make("div", { class: "live" });
    this.tools = make("div", { class: "tools" });
    figure.querySelector(".paper").replaceWith(this.tools, this.box);
    this.makeTools();
    this.draw();
    followPointer(this);
    let width = this.box.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(this.box.clientWidth - width) > 1) {
        width = this.box.clientWidth;
        this.draw();
      }
    }).observe(this.box);
  }

  // Series of agents that are shown, in the order of the spec.
  get series() {
    return this.spec.series.filter((one) => !hidden.has(one.agent));
  }

  // Which axes are logarithmic: as the state says, else as the spec does.
  isLog(axis) {
    const said = state.get(`scale.${this.id}`);
    return said ? said.includes(axis) : Boolean(this.spec[axis].log);
  }

  get zoom() {
    const numbers = state.get(`zoom.${this.id}`).split(",").map(Number);
    return numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
  }

  setZoom(ends) {
    const words = ends?.map((value) => Number(value.toPrecision(6))).join(",");
    state.set(`zoom.${this.id}`, words ?? "");
    this.draw();
  }

  makeTools() {
    for (const axis of this.spec.kind === "dots" ? "x" : "xy") {
      const flip = button(`log ${axis}`, `${axis} axis: logarithmic or linear`, () => {
        const on = [..."xy"].filter((a) => this.isLog(a) !== (a === axis));
        state.set(`scale.${this.id}`, on.join("") || "none");
        this.setZoom(null);
      });
      flip.dataset.axis = axis;
      this.tools.append(flip);
    }
    this.tools.append(
      button("+", "zoom in; or drag over the figure", () => this.zoomBy(0.6)),
      button("−", "zoom out", () => this.zoomBy(1 / 0.6)),
      button("reset", "the whole figure; or press it twice", () => this.setZoom(null)),
    );
  }

  zoomBy(share) {
    const ends = [this.x, this.y].flatMap((scale) => {
      const [from, to] = [scale.at(scale.low), scale.at(scale.high)];
      const [middle, half] = [(from + to) / 2, ((to - from) / 2) * share];
      return [scale.back(middle - half), scale.back(middle + half)];
    });
    this.setZoom(ends);
  }

  // All numbers on an axis, of which the ends are taken.
  numbers(axis) {
    const { kind, xs, verticals, line } = this.spec;
    if (kind === "lines") {
      const every = this.series.flatMap((one) => [...one.y, ...one.low, ...one.high]);
      return axis === "x" ? xs : every;
    }
    if (kind === "dots") {
      return this.series.flatMap((one) => [one.value, one.low, one.high]);
    }
    const place = axis === "x" ? 0 : 1;
    const found = this.series.flatMap((one) => one.points.map((point) => point[place]));
    if (axis === "x") {
      return [...found, ...(verticals ?? []).map((one) => one[0])];
    }
    const ends = this.series.flatMap((one) => one.points.flatMap((p) => p.slice(4)));
    if (!line) {
      return [...found, ...ends];
    }
    const exact = line.points.map((point) => point[1]);
    return this.spec.y.accuracy ? middling(found, exact) : found.length ? found : exact;
  }

  scales() {
    const width = Math.max(this.box.clientWidth, 240);
    const rows = this.series.length;
    const dots = this.spec.kind === "dots";
    const height = dots ? 26 * rows + ROOM.bottom + ROOM.top : 300;
    const longest = Math.max(0, ...this.series.map((one) => one.label?.length ?? 0));
    const left = dots ? Math.min(30 + 6.4 * longest, width * 0.45) : ROOM.left;
    const zoom = this.zoom;
    const [xLog, yLog] = [this.isLog("x"), this.isLog("y")];
    const x = zoom ? zoom.slice(0, 2) : extent(this.numbers("x"), xLog);
    const y = dots ? [rows - 0.5, -0.5] : zoom ? zoom.slice(2) : extent(this.numbers("y"), yLog);
    const { least } = this.spec.y;
    this.size = { width, height, left };
    this.x = makeScale(x, [left, width - ROOM.right], xLog);
    this.y = makeScale(
      least && yLog && !zoom ? [Math.max(y[0], least * 0.8), y[1]] : y,
      [height - ROOM.bottom, ROOM.top],
      !dots && yLog,
    );
  }

  draw() {
    this.scales();
    const { width, height, left } = this.size;
    for (const flip of this.tools.querySelectorAll("[data-axis]")) {
      flip.setAttribute("aria-pressed", String(this.isLog(flip.dataset.axis)));
    }
    const clip = `${this.id}-clip`;
    const inner = draw("g", { "clip-path": `url(#${clip})` });
    const drawing = draw("svg",
      { viewBox: `0 0 ${width} ${height}`, height, role: "img", tabindex: "0",
        "aria-label": this.figure.querySelector("figcaption").textContent },
      draw("clipPath", { id: clip }, draw("rect", {
        x: left, y: ROOM.top - 4,
        width: width - left - ROOM.right + 4, height: height - ROOM.top - ROOM.bottom + 8,
      })),
      ...this.axes(), inner);
    this.spots = [];  // what a pointer can find: x and y in pixels, and what is there
    this[this.spec.kind](inner);
    this.box.querySelector("svg")?.remove();
    this.box.prepend(drawing);
    this.drawing = drawing;
  }

  axes() {
    const { width, height, left } = this.size, parts = [];
    const bottom = height - ROOM.bottom;
    for (const tick of this.x.ticks()) {
      const x = this.x.at(tick);
      parts.push(
        draw("path", { class: "grid", d: `M${x},${ROOM.top}V${bottom}` }),
        draw("text", { x, y: bottom + 15, "text-anchor": "middle" }, shown(tick)));
    }
    if (this.spec.kind === "dots") {
      this.series.forEach((one, row) => parts.push(draw("text",
        { x: left - 10, y: this.y.at(row) + 4, "text-anchor": "end" },
        one.label)));
    } else {
      for (const tick of this.y.ticks()) {
        const y = this.y.at(tick);
        parts.push(
          draw("path", { class: "grid", d: `M${left},${y}H${width - ROOM.right}` }),
          draw("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, shown(tick)));
      }
    }
    const middle = (ROOM.top + bottom) / 2;
    parts.push(
      draw("path", { class: "axis", d: `M${left},${ROOM.top}V${bottom}H${width - ROOM.right}` }),
      draw("text", { x: (left + width - ROOM.right) / 2, y: height - 8,
        "text-anchor": "middle" }, this.spec.x.title),
      draw("text", { x: 12, y: middle, "text-anchor": "middle",
        transform: `rotate(-90 12 ${middle})` }, this.spec.y.title));
    return parts;
  }

  // The value on y that is drawn: never below a floor that the spec has.
  floored(value) {
    return Math.max(value, this.spec.y.least ?? -Infinity);
  }

  path(xs, ys, from = 0) {
    const parts = [];
    ys.forEach((value, n) => {
      const [x, y] = [this.x.at(xs[n]), this.y.at(this.floored(value ?? NaN))];
      if (Number.isFinite(x) && Number.isFinite(y)) {
        parts.push(`${x.toFixed(1)},${y.toFixed(1)}`);
      }
    });
    return parts.length ? `${from ? "L" : "M"}${parts.join("L")}` : "";
  }

  lines(inner) {
    const { xs } = this.spec, back = [...xs].reverse();
    for (const one of this.series) {
      const look = data.agents[one.agent];
      const [low, high] = [this.path(xs, one.low), this.path(back, [...one.high].reverse(), 1)];
      if (low && high) {
        inner.append(draw("path", { class: "band", d: `${low}${high}Z`, style: `fill:${look.colour}` }));
      }
    }
    for (const one of this.series) {
      const look = data.agents[one.agent];
      const dashes = look.dashes.map((length) => 1.8 * length).join(" ");
      inner.append(draw("path", { class: "line", d: this.path(xs, one.y),
        style: `stroke:${look.colour};stroke-dasharray:${dashes || "none"}` }));
      const every = Math.ceil(xs.length / 8);
      for (let n = (one.agent * 2) % every; n < xs.length; n += every) {
        const y = this.y.at(this.floored(one.y[n] ?? NaN));
        if (Number.isFinite(y)) {
          inner.append(marker(one.agent, this.x.at(xs[n]), y, 3.4));
        }
      }
    }
  }

  points(inner) {
    const { line, verticals, x } = this.spec, bottom = this.size.height - ROOM.bottom;
    for (const [value, words] of verticals ?? []) {
      const at = this.x.at(value), right = at - this.size.left > 7 * words.length;
      inner.append(
        draw("path", { class: "limit", d: `M${at},${ROOM.top}V${bottom}` }),
        draw("text", { x: at + (right ? -4 : 4), y: bottom - 6, class: "soft",
          "text-anchor": right ? "end" : "start" }, words));
    }
    if (line) {
      this.exact(inner, line);
    }
    for (const one of this.series) {
      for (const [px, py, network, words, low, high] of one.points) {
        const [at, to] = [this.x.at(px), this.y.at(py)];
        if (Number.isFinite(low ?? NaN)) {
          inner.append(draw("path", { class: "line", style: `stroke:${data.agents[one.agent].colour}`,
            d: `M${at},${this.y.at(low)}V${this.y.at(high)}` }));
        }
        inner.append(marker(one.agent, at, to, 4.2));
        const said = [`${this.spec.y.title}: ${shown(py)}`, `${x.title}: ${shown(px)}`];
        this.spots.push({ x: at, y: to, agent: one.agent, network,
          words: [...said, ...(words ? [words] : [])] });
      }
    }
  }

  exact(inner, { points, steps }) {
    const places = points.map(([px, py, network]) => ({
      x: this.x.at(px), y: this.y.at(py), network,
      words: ["exact front", `${this.spec.y.title}: ${shown(py)}`, `${this.spec.x.title}: ${shown(px)}`],
    })).filter((spot) => Number.isFinite(spot.x) && Number.isFinite(spot.y));
    if (steps && places.length) {
      let d = `M${places[0].x.toFixed(1)},${places[0].y.toFixed(1)}`;
      for (const spot of places.slice(1)) {
        const [x, y] = [spot.x.toFixed(1), spot.y.toFixed(1)];
        d += steps === "post" ? `H${x}V${y}` : `V${y}H${x}`;
      }
      inner.append(draw("path", { class: "front", d }));
    }
    for (const spot of places) {
      inner.append(draw("circle", { class: "exact", cx: spot.x.toFixed(1), cy: spot.y.toFixed(1), r: 1.8 }));
    }
    this.spots.push(...places);
  }

  dots(inner) {
    if (!this.isLog("x") && this.x.low < 0 && this.x.high > 0) {
      const zero = this.x.at(0);
      inner.append(draw("path", { class: "axis", d: `M${zero},${ROOM.top}V${this.size.height - ROOM.bottom}` }));
    }
    this.series.forEach((one, row) => {
      const [at, y] = [this.x.at(one.value), this.y.at(row)];
      const ends = `95 % interval [${shown(one.low)}, ${shown(one.high)}]`;
      if (one.low !== null && Number.isFinite(this.x.at(one.low))) {
        inner.append(draw("path", { class: "line", style: `stroke:${data.agents[one.agent].colour}`,
          d: `M${this.x.at(one.low)},${y}H${this.x.at(one.high)}` }));
      }
      if (Number.isFinite(at)) {
        inner.append(marker(one.agent, at, y, 4.6));
        this.spots.push({ x: at, y, agent: one.agent, network: -1, words: [`score ${shown(one.value)}`, ends] });
      }
    });
  }
}

// What is looked at first of points beside an exact front: not what lies far below.
function middling(found, exact) {
  if (!found.length) {
    return exact;
  }
  const sorted = [...found].sort((a, b) => a - b);
  const best = sorted.at(-1), middle = sorted[Math.floor(sorted.length / 2)];
  const low = Math.min(middle - 3 * (best - middle), best);
  const kept = sorted.filter((value) => value >= low);
  const top = Math.max(...exact);
  return [...kept, ...(top >= kept[0] ? [top] : [])];
}
