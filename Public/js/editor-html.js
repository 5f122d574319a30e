// HTML in and out of the rich editor: a small set of elements, written as e-mail programs want them.
const kept = {
  P: [], H1: [], H2: [], H3: [], BLOCKQUOTE: [], UL: [], OL: [], LI: [], BR: [], HR: [], STRONG: [], EM: [], U: [], S: [], CODE: [],
  A: ["href", "class"], IMG: ["src", "alt", "width"],
};
const renamed = { B: "STRONG", I: "EM", DIV: "P", H4: "H3", H5: "H3", H6: "H3", STRIKE: "S", DEL: "S" };
const dropped = new Set(["SCRIPT", "STYLE", "HEAD", "TITLE", "META", "LINK", "IFRAME", "OBJECT", "TEMPLATE", "SVG"]);
const blocks = new Set(["P", "H1", "H2", "H3", "BLOCKQUOTE", "UL", "OL", "LI", "HR"]);
const empty = new Set(["BR", "HR", "IMG"]);

// What e-mail programs do not take from a style sheet.
const looks = {
  "email-button": "display:inline-block;padding:12px 20px;background-color:#2f54d3;color:#ffffff;border-radius:6px;font-weight:600;text-decoration:none",
};

const picture = "max-width:100%;height:auto";

/** Whether the HTML holds more than the editor can keep. */
export function complex(html) {
  let rest = html;
  for (const look of [...Object.values(looks), picture]) rest = rest.replaceAll(` style="${look}"`, "");
  return /<(table|style|html|body|head|center|font|svg|form)\b|<!--|\sstyle\s*=|\{%/i.test(rest);
}

/** Fills `area` with what the editor understands of `html`. */
export function load(area, html) {
  const plain = html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle\s*=\s*("[^"]*"|'[^']*')/gi, ""));
  const parsed = new DOMParser().parseFromString(plain, "text/html");
  area.replaceChildren();
  area.append(copy(parsed.body));
  if (!area.childNodes.length) area.append(paragraph());
  for (const node of [...area.childNodes]) {
    if (node.nodeType === Node.TEXT_NODE && node.data.trim() === "") node.remove();
    else if (!blocks.has(node.nodeName)) wrap(node);
  }
}

function paragraph() {
  const node = document.createElement("p");
  node.append(document.createElement("br"));
  return node;
}

function wrap(node) {
  const before = node.previousSibling;
  if (before?.dataset?.wrapped !== undefined) return before.append(node);
  const around = document.createElement("p");
  around.dataset.wrapped = "";
  node.replaceWith(around);
  around.append(node);
}

function copy(parent) {
  const result = document.createDocumentFragment();
  for (const node of parent.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) result.append(node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || dropped.has(node.nodeName.toUpperCase())) continue;
    const holdsBlocks = node.nodeName === "DIV" && [...node.children].some((child) => blocks.has(child.nodeName) || child.nodeName === "DIV");
    const name = holdsBlocks ? null : renamed[node.nodeName] ?? node.nodeName;
    if (!kept[name]) {
      result.append(copy(node));
      continue;
    }
    const next = document.createElement(name);
    for (const key of kept[name]) {
      const value = node.getAttribute(key);
      if (value !== null && safe(key, value)) next.setAttribute(key, value);
    }
    next.append(copy(node));
    result.append(next);
  }
  return result;
}

function safe(key, value) {
  if (key === "class") return value in looks;
  if (key === "href" || key === "src") return !/^\s*(javascript|data|vbscript|file|blob):/i.test(value);
  return true;
}

/** The HTML of the editor, one block a line. */
export function clean(area) {
  const box = document.createElement("div");
  box.append(copy(area));
  return [...box.childNodes].map(write).join("").trim() + "\n";
}

const text = (value) => value.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\u00a0/g, "&nbsp;");

/** Escapes all but what stands in double braces; `change` adapts that. */
const prose = (value, change = (part) => part) =>
  value.split(/(\{\{.*?\}\})/).map((part, index) => index % 2 ? change(part.replace(/\u00a0/g, " ")) : text(part)).join("");

const attribute = (value) => prose(value, (part) => part.replace(/"/g, "'")).replace(/"/g, "&quot;");

function write(node) {
  if (node.nodeType === Node.TEXT_NODE) return prose(node.data);
  const name = node.nodeName.toLowerCase();
  let start = `<${name}`;
  for (const { name: key, value } of node.attributes) start += ` ${key}="${attribute(value)}"`;
  if (looks[node.className]) start += ` style="${looks[node.className]}"`;
  if (name === "img") start += ` style="${picture}"`;
  const after = blocks.has(node.nodeName) ? "\n" : "";
  if (empty.has(node.nodeName)) return `${start}>${after}`;
  return `${start}>${[...node.childNodes].map(write).join("")}</${name}>${after}`;
}
