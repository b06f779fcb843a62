// Tables: sorted by a press on a title, filtered, copied, with a hint where they scroll.

// The first number in a cell; "< 0.001" is a little less than 0.001.
function numberIn(text) {
  const found = /-?\d+(\.\d+)?(e[+-]?\d+)?/.exec(text);
  const value = found ? Number(found[0]) : NaN;
  return text.startsWith("<") ? value * 0.999 : value;
}

// Compares two texts; what is no number stands last, whichever way is sorted.
function compared(a, b, numbers, sign) {
  if (!numbers) {
    return sign * a.localeCompare(b, "en", { numeric: true });
  }
  const [x, y] = [numberIn(a), numberIn(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) {
    return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  }
  return sign * (x - y);
}

// What a press on a column makes of its order: best guess, the other way, as it was.
function nextOrder(now, column, numbers) {
  const [first, second] = numbers ? ["down", "up"] : ["up", "down"];
  const at = now.startsWith(`${column}.`) ? now.split(".")[1] : "";
  const next = at === "" ? first : at === first ? second : "";
  return next && `${column}.${next}`;
}

// Makes titles buttons. `act` gets the column (or -1), whether it rises, and the order.
function sortable(id, titles, isNumber, act) {
  const apply = () => {
    const [column, way] = state.get(`sort.${id}`).split(".");
    const place = column ? Number(column) : -1;
    titles.forEach((title, n) => {
      const words = way === "up" ? "ascending" : "descending";
      title.setAttribute("aria-sort", n === place ? words : "none");
    });
    act(titles[place] ? place : -1, way === "up" ? 1 : -1);
  };
  titles.forEach((title, n) => {
    const words = title.textContent;
    title.textContent = "";
    title.append(button(words, `sort by ${words}`, () => {
      state.set(`sort.${id}`, nextOrder(state.get(`sort.${id}`), n, isNumber(n)));
      apply();
    }));
  });
  return apply;
}

function makeTable(figure) {
  const id = figure.id, table = figure.querySelector("table"), body = table.tBodies[0];
  const titles = [...table.tHead.rows[0].cells];
  const words = titles.map((title) => title.textContent);
  const isNumber = (place) => titles[place].classList.contains("number");
  const rows = [...body.rows];
  const text = (row, place) => row.cells[place].textContent;
  const sort = sortable(id, titles, isNumber, (place, sign) => {
    const order = place < 0 ? rows : [...rows].sort(
      (a, b) => compared(text(a, place), text(b, place), isNumber(place), sign));
    body.append(...order);
  });
  const filter = (wanted) => {
    rows.forEach((row) => { row.hidden = !matches(row.textContent, wanted); });
  };
  const tools = make("div", { class: "tools" });
  if (rows.length > 8) {
    tools.append(searchField(id, "rows", filter));
  }
  tools.append(copyButton("copy CSV", "copy the rows that are shown", () => {
    const kept = [...body.rows].filter((row) => !row.hidden);
    const cells = kept.map((row) => [...row.cells].map((cell) => cell.textContent));
    return asCsv([words, ...cells], isNumber);
  }));
  figure.querySelector("figcaption").after(tools);
  filter(state.get(`find.${id}`));
  sort();
  hintWhereItScrolls(figure.querySelector(".table"));
}

function hintWhereItScrolls(box) {
  const look = () => {
    const wide = box.scrollWidth > box.clientWidth + 2;
    const end = box.scrollLeft + box.clientWidth > box.scrollWidth - 4;
    box.parentElement.classList.toggle("scrolls", wide && !end);
    box.parentElement.classList.toggle("fits", !wide);
  };
  box.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(box);
}

function makeTaskFilter(list) {
  const id = list.previousElementSibling.id;
  const filter = (wanted) => {
    for (const one of list.children) {
      one.hidden = !matches(one.firstElementChild.textContent, wanted);
    }
  };
  const open = (wanted) => () => {
    for (const one of list.children) {
      one.open = wanted && !one.hidden;
    }
  };
  list.before(make("div", { class: "tools" }, searchField(id, "tasks", filter),
    button("open all", "open all tasks that are shown", open(true)),
    button("close all", "close all tasks", open(false))));
  filter(state.get(`find.${id}`));
}
