// The rich editor stands over a textarea and writes e-mail-safe HTML back into it at every change.
// Markup: <div class="editor" data-editor><textarea …></textarea></div>, inside it optionally
// <select data-editor-variables hidden aria-label="…"> with the personal fields that can be inserted.
import { announce, element, icon } from "./page.js";
import { clean, complex, load } from "./editor-html.js";

const marks = [["bold", "Bold", "Ctrl+B"], ["italic", "Italic", "Ctrl+I"]];
const blocks = [["p", "Paragraph"], ["h1", "Heading 1"], ["h2", "Heading 2"], ["h3", "Heading 3"], ["blockquote", "Quote"]];
const lists = [["insertUnorderedList", "list-bullet", "Bulleted list"], ["insertOrderedList", "list-number", "Numbered list"]];

for (const frame of document.querySelectorAll("[data-editor]")) start(frame);

function start(frame) {
  const textarea = frame.querySelector("textarea");
  const label = document.querySelector(`label[for="${CSS.escape(textarea.id)}"]`);
  const area = element("div", { class: "editor-area", contenteditable: "true", role: "textbox", "aria-multiline": "true",
    "aria-label": label?.textContent.trim() ?? "Text", "aria-describedby": textarea.getAttribute("aria-describedby") });
  const bar = element("div", { class: "toolbar", role: "toolbar", "aria-label": "Formatting" });
  const tools = [];
  let range = null;

  const write = () => {
    textarea.value = clean(area);
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // Where the cursor is in the text. Asked before every command too: "selectionchange" comes late, and a cursor of before
  // the last key would lead the command to another paragraph.
  const remember = () => {
    const selection = getSelection();
    if (!selection.rangeCount || !area.contains(selection.anchorNode)) return false;
    range = selection.getRangeAt(0).cloneRange();
    return true;
  };
  const run = (command, value) => {
    remember();
    area.focus();
    if (range) getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    document.execCommand(command, false, value);
    write();
    state();
  };
  const tool = (name, title, act, keys) => {
    const button = element("button", { type: "button", class: "button button-icon", title: keys ? `${title} (${keys})` : title, "aria-label": title }, icon(name));
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", act);
    tools.push(button);
    bar.append(button);
    return button;
  };
  const gap = () => bar.append(element("span", { class: "toolbar-gap" }));
  // A block of its own after the one the cursor is in; each step can be undone.
  const insertBlock = (html) => {
    remember();
    area.focus();
    let block = range?.endContainer ?? area.lastChild;
    while (block && block.parentNode !== area && block !== area) block = block.parentNode;
    getSelection().selectAllChildren(block ?? area);
    getSelection().collapseToEnd();
    document.execCommand("insertParagraph");
    document.execCommand("formatBlock", false, "p");
    if (html) document.execCommand("insertHTML", false, html);
    else document.execCommand("insertHorizontalRule");
    write();
  };

  const style = element("select", { class: "select", "aria-label": "Style of the paragraph" });
  for (const [value, text] of blocks) style.append(element("option", { value }, text));
  style.addEventListener("change", () => run("formatBlock", style.value));
  tools.push(style);
  bar.append(style);
  gap();
  const toggles = new Map(marks.map(([name, title, keys]) => [name, tool(name, title, () => run(name), keys)]));
  tool("link", "Link", () => ask("Link", "Address", (address) => run("createLink", address)));
  gap();
  for (const [command, name, title] of lists) toggles.set(command, tool(name, title, () => run(command)));
  gap();
  tool("image", "Image", () => ask("Image", "Address of the image", (address, text) => insertBlock(`<img src="${quote(address)}" alt="${quote(text)}">`), "What it shows (for people who cannot see it)"));
  tool("button", "Button", () => ask("Button", "Address", (address, text) => insertBlock(`<a class="email-button" href="${quote(address)}">${quote(text)}</a>`), "Text of the button"));
  tool("divider", "Divider", () => insertBlock());

  const variables = frame.querySelector("[data-editor-variables]");
  if (variables) {
    gap();
    variables.hidden = false;
    variables.className = "select";
    variables.addEventListener("change", () => {
      if (variables.value && frame.dataset.source === undefined) run("insertText", variables.value);
      else if (variables.value) textarea.setRangeText(variables.value, textarea.selectionStart, textarea.selectionEnd, "end");
      variables.selectedIndex = 0;
    });
    bar.append(variables);
  }
  const source = tool("code", "HTML", () => show(frame.dataset.source === undefined));
  tools.pop();
  source.setAttribute("aria-pressed", "false");

  function show(asSource) {
    if (!asSource && complex(textarea.value)) {
      announce("This HTML has tables or styles of its own, so it stays as HTML.");
      asSource = true;
    }
    if (asSource) frame.dataset.source = "";
    else {
      delete frame.dataset.source;
      load(area, textarea.value);
    }
    area.hidden = asSource;
    textarea.hidden = !asSource;
    source.setAttribute("aria-pressed", String(asSource));
    for (const control of tools) control.disabled = asSource;
  }

  function state() {
    for (const [command, button] of toggles) button.setAttribute("aria-pressed", String(document.queryCommandState(command)));
    const block = document.queryCommandValue("formatBlock");
    style.value = blocks.some(([name]) => name === block) ? block : "p";
  }

  function ask(title, question, then, second) {
    const first = element("input", { class: "input", inputmode: "url", id: "editor-first", required: true, placeholder: "https://" });
    const other = element("input", { class: "input", id: "editor-second" });
    const field = (text, input) => element("div", { class: "field" }, element("label", { class: "field-label", for: input.id }, text), input);
    const dialog = element("dialog", { class: "dialog", "aria-labelledby": "editor-title" },
      element("form", { method: "dialog", class: "form" }, element("h2", { id: "editor-title" }, title), field(question, first),
        second ? field(second, other) : "",
        element("div", { class: "form-actions" }, element("button", { type: "submit", class: "button button-primary", value: "ok" }, `Insert ${title.toLowerCase()}`),
          element("button", { type: "submit", class: "button", formnovalidate: true }, "Cancel"))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      area.focus();
      if (dialog.returnValue === "ok") then(first.value.trim(), other.value.trim());
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("selectionchange", () => {
    if (remember()) state();
  });
  area.addEventListener("input", write);
  area.addEventListener("paste", (event) => {
    const html = event.clipboardData.getData("text/html");
    if (!html) return;
    event.preventDefault();
    const box = document.createElement("div");
    load(box, html);
    run("insertHTML", clean(box));
  });
  document.execCommand("defaultParagraphSeparator", false, "p");
  document.execCommand("styleWithCSS", false, false);
  frame.prepend(bar, area);
  show(complex(textarea.value));
}

const quote = (text) => text.replace(/[&<>"]/g, (letter) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[letter]);
