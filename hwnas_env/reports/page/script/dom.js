// Elements. Words from records only ever become text, never markup.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  return filled(element, attributes, children);
}

// A page with figures has drawings already; their namespace is the drawings'.
function draw(tag, attributes = {}, ...children) {
  const space = document.querySelector("svg").namespaceURI;
  return filled(document.createElementNS(space, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function button(words, title, act) {
  const element = make("button", { type: "button", title }, words);
  element.addEventListener("click", act);
  return element;
}

// A field that keeps what is looked for in the state, and tells it after each letter.
function searchField(id, what, act) {
  const field = make("input", {
    type: "search", placeholder: `filter ${what}`, "aria-label": `filter ${what}`,
  });
  field.value = state.get(`find.${id}`);
  field.addEventListener("input", () => {
    state.set(`find.${id}`, field.value);
    act(field.value);
  });
  return field;
}

// Whether a text has every word that is looked for; words like "seed=1" as they are.
function matches(text, wanted) {
  const low = `${text.toLowerCase()} `;
  const words = wanted.toLowerCase().split(/\s+/);
  return words.every((word) => low.includes(word.includes("=") ? `${word} ` : word));
}

function copyButton(words, title, text) {
  const element = button(words, title, async () => {
    const done = await copied(text());
    element.textContent = done ? "copied" : "not copied";
    setTimeout(() => { element.textContent = words; }, 1500);
  });
  return element;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // no clipboard for pages from files in some browsers
    const field = make("textarea", { class: "aside" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

// Numbers as people read them: four digits that count.
function shown(value) {
  if (value === null || value === undefined) {
    return "-";
  }
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return value.toExponential(2);
  }
  return String(Number(value.toPrecision(size >= 10 ? 5 : 4)));
}

// Comma-separated values. A spreadsheet takes words that begin like a formula for one:
// an apostrophe before them says that they are words. Numbers stay as they are.
function asCsv(rows, isNumber) {
  const cell = (text, place, row) => {
    const formula = /^\s*[=+\-@]/.test(text) && text.length > 1;
    const words = formula && (row === 0 || !isNumber(place)) ? `'${text}` : text;
    return /[",\n\r]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
  };
  const lines = rows.map((row, n) => row.map((text, p) => cell(text, p, n)).join(","));
  return `${lines.join("\n")}\n`;
}
