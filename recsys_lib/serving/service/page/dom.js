// Small helpers. All text goes in as text, never as markup: a title cannot become a script.

export const $ = (id) => document.getElementById(id);

export function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  fill(node, given, children);
  return node;
}

export function svg(tag, given = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(node, given, children);
  return node;
}

function fill(node, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("--")) node.style.setProperty(name, value);
    else if (name === "width%") node.style.width = `${value}%`;
    else if (name === "onclick") node.addEventListener("click", value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((each) => each !== null && each !== undefined));
}

export function show(node, ...children) {
  node.replaceChildren(...children.flat().filter(Boolean));
}

export async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || `The service answers with status ${answer.status}.`);
  return body;
}

export const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

let hiding;
export function say(text) {
  const node = $("say");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { node.hidden = true; }, 3500);
}

export const ms = (value) => (value < 0.1 ? "<0.1 ms" : value < 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(0)} ms`);

// A text field with a list of what can be chosen; works with arrow keys, Enter and Escape.
export function combo(input, list, find, draw, choose) {
  let options = [], at = -1, asked = 0, waiting;
  const close = () => { list.hidden = true; at = -1; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = () => [...list.children].forEach((node, i) => {
    node.setAttribute("aria-selected", i === at);
    if (i === at) { input.setAttribute("aria-activedescendant", node.id); node.scrollIntoView({ block: "nearest" }); }
  });
  const pick = (option) => { close(); choose(option); };
  const look = async () => {
    const mine = ++asked;
    const found = await find(input.value.trim()).catch(() => []);
    if (mine !== asked || document.activeElement !== input) return;
    options = found;
    show(list, found.map((option, i) => {
      const node = el("li", { role: "option", id: `${list.id}-${i}`, "aria-selected": "false" }, draw(option));
      node.addEventListener("pointerdown", (event) => { event.preventDefault(); pick(option); });
      return node;
    }));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
  };
  input.addEventListener("input", () => { at = -1; clearTimeout(waiting); waiting = setTimeout(look, 120); });
  input.addEventListener("focus", () => { input.select(); look(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (options.length) { at = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length; mark(); }
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (at >= 0) pick(options[at]);
      else if (input.value.trim()) { close(); choose(null, input.value.trim()); }
    }
  });
}
