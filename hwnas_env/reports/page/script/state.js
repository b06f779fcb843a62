// The state of the view. It stands in the address behind "#", as keys and values, so
// that a link shows another reader the same: at (a section), off (hidden agents),
// net (a network), theme, and sort.ID, find.ID, scale.ID, zoom.ID of a table or figure.

const data = JSON.parse(document.getElementById("data").textContent);

const state = {
  values: new Map(),

  read() {
    state.values = new Map(new URLSearchParams(location.hash.slice(1)));
    const first = state.values.keys().next().value;
    if (state.values.size === 1 && state.values.get(first) === "") {
      state.values = new Map([["at", first]]);  // a plain anchor
    }
  },

  get(key) {
    return state.values.get(key) ?? "";
  },

  set(key, value) {
    if (value) {
      state.values.set(key, value);
    } else {
      state.values.delete(key);
    }
    const words = new URLSearchParams([...state.values]).toString();
    history.replaceState(null, "", `#${words}`);
  },
};

// Goes to an element, and opens whatever it is folded in.
function goTo(id) {
  const target = document.getElementById(id);
  for (let one = target; one; one = one.parentElement) {
    if (one.tagName === "DETAILS") {
      one.open = true;
    }
  }
  target?.scrollIntoView();
}

function followLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      const id = link.getAttribute("href").slice(1);
      state.set("at", id);
      goTo(id);
    }
  });
}
