// Small tools that the other modules share.

/** Calls `run` once `wait` milliseconds have passed without another call. */
export function debounce(wait, run) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), wait);
  };
}

let region;

/** Says `text` through a polite live region. */
export function announce(text) {
  if (!region) {
    region = document.createElement("div");
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 50);
}

/** An element with attributes and children; text becomes text, never markup. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

/** An icon of the sprite that the page already uses. */
export function icon(name) {
  const use = document.querySelector("svg.icon use");
  const sprite = (use?.getAttribute("href") ?? "/img/icons.svg").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const reference = document.createElementNS("http://www.w3.org/2000/svg", "use");
  reference.setAttribute("href", `${sprite}#${name}`);
  svg.append(reference);
  return svg;
}

/** One part of a page as HTML, or null when the server answers with anything else. */
export async function fragment(url, name, options = {}) {
  const response = await fetch(url, { ...options, headers: { "X-Fragment": name } });
  if (!response.ok || response.redirected) return null;
  return response.text();
}

/** Makes the content of `target` equal to `html` and touches only what differs, so that focus and open parts stay. */
export function replaceContent(target, html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  match(target, next.content);
}

function match(old, next) {
  const olds = [...old.childNodes];
  const nexts = [...next.childNodes];
  nexts.forEach((node, index) => {
    const current = olds[index];
    if (!current) old.append(node);
    else if (current.nodeName !== node.nodeName || current.id !== node.id) current.replaceWith(node);
    else if (node.nodeType === Node.ELEMENT_NODE) matchElement(current, node);
    else if (current.nodeValue !== node.nodeValue) current.nodeValue = node.nodeValue;
  });
  olds.slice(nexts.length).forEach((node) => node.remove());
}

function matchElement(old, next) {
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  if (old instanceof HTMLInputElement && old !== document.activeElement) {
    old.checked = next.checked;
    old.value = next.value;
  }
  match(old, next);
}
