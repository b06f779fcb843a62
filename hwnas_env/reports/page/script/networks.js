// A network: its choices as boxes, its name, and the commands that build it.

function readNetwork(number) {
  const row = data.networks[number];
  if (!row) {
    return null;
  }
  const [at, word, name] = row, place = data.places[at];
  const choices = [...word].map((letter) => data.letters.indexOf(letter));
  const names = choices.map((choice, n) => place.choices[n][choice]);
  return { place, choices, names, name: name ?? names.join("|") };
}

// Quoted as Python and as a shell ask for it.
const QUOTES = {
  python: (text) => JSON.stringify(text),
  shell: (text) => `'${text.replaceAll("'", `'"'"'`)}'`,
};

function commandFor(place, language, name) {
  return place[language].replace("ARCHITECTURE", () => QUOTES[language](name));
}

// Lines to copy, with their button.
function copyLines(text) {
  return withCopy(make("pre", { class: "copy" }, make("code", {}, text)));
}

function withCopy(lines) {
  const text = lines.querySelector("code").textContent;
  lines.append(copyButton("copy", "copy these lines", () => text));
  if (lines.dataset.network) {
    const number = Number(lines.dataset.network);
    lines.append(button("look", "see this network", () => openNetwork(number)));
  }
  return lines;
}

function boxes({ place, choices, names }) {
  const row = make("div", { class: "boxes" });
  choices.forEach((choice, n) => {
    const part = (choice + 1) / place.choices[n].length;
    row.append(make("div", { style: `--part:${Math.round(75 * part)}%` },
      make("span", { class: "soft" }, place.positions[n]), names[n]));
  });
  return row;
}

// Opens the panel that shows a network; spot says what a figure knows of it.
function openNetwork(number, spot = null) {
  const network = readNetwork(number);
  if (!network) {
    return;
  }
  document.getElementById("network")?.remove();
  const panel = make("dialog", { id: "network", "aria-label": "Network" });
  const close = () => {
    state.set("net", "");
    panel.remove();
  };
  const { place, name } = network;
  const about = (spot?.words ?? []).filter((words) => words !== "exact front");
  const found = spot && (spot.agent === undefined ? "on the exact front" : `found by ${agentName(spot.agent)}`);
  panel.append(
    button("×", "close", close),
    make("h3", {}, place.where),
    make("p", {}, [found, ...about].filter(Boolean).join("; ")),
    boxes(network),
    make("p", { class: "soft" }, "Architecture"), copyLines(name));
  if (place.python) {
    panel.append(
      make("p", { class: "soft" }, "Build it in PyTorch"),
      copyLines(commandFor(place, "python", name)),
      make("p", { class: "soft" }, "Write ONNX"),
      copyLines(commandFor(place, "shell", name)));
  }
  panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
  document.body.append(panel);
  panel.show();
  state.set("net", String(number));
}
