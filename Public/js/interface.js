// What every page offers: shortcuts and arrow keys in menus.
import { announce, element } from "./page.js";

const store = {
  get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { announce("This browser does not keep settings."); } },
};

// Shortcuts
const shortcuts = () => store.get("shortcuts") !== "off";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return menuKeys(event);
  if (shortcuts() && event.key === "?") {
    showShortcuts();
  } else if (shortcuts() && event.key.length === 1) {
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    target.focus();
    target.select?.();
  }
  menuKeys(event);
});

for (const button of document.querySelectorAll("[data-shortcuts-open]")) {
  button.hidden = false;
  button.addEventListener("click", showShortcuts);
}

function showShortcuts() {
  document.querySelector(".menu-list:popover-open")?.hidePopover();
  document.querySelector("dialog[data-shortcuts]")?.remove();
  const box = element("input", { type: "checkbox", class: "checkbox", id: "shortcuts-on" });
  box.checked = shortcuts();
  box.addEventListener("change", () => store.set("shortcuts", box.checked ? "on" : "off"));
  const keys = [["/", "Go to the search field"], ["?", "Show this list"], ["Esc", "Close a menu or dialog"], ["Tab", "Next control"]];
  const list = element("dl", { class: "shortcut-list" });
  for (const [key, text] of keys) list.append(element("dt", {}, element("kbd", {}, key)), element("dd", {}, text));
  const dialog = element("dialog", { class: "dialog", "data-shortcuts": true, "aria-labelledby": "shortcuts-title" },
    element("div", {},
      element("h2", { id: "shortcuts-title" }, "Keyboard shortcuts"), list,
      element("div", { class: "check" }, box, element("label", { for: "shortcuts-on" }, "Use single-key shortcuts")),
      element("form", { method: "dialog", class: "form-actions" }, element("button", { type: "submit", class: "button" }, "Close"))));
  document.body.append(dialog);
  dialog.showModal();
}

// Tabs that do not fit: the present one is in sight.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const bar = tab.closest(".tabs");
  bar.scrollLeft += tab.getBoundingClientRect().left - bar.getBoundingClientRect().left - 32;
}

// Menus
function menuKeys(event) {
  const menu = event.target.closest?.(".menu-list:popover-open");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!menu || !step) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll("a, button")];
  const place = items.indexOf(document.activeElement);
  items[(place + step + items.length) % items.length]?.focus();
}

document.addEventListener("keydown", (event) => {
  const opener = event.target.closest?.("[popovertarget]");
  if (!opener || event.key !== "ArrowDown") return;
  event.preventDefault();
  opener.popoverTargetElement.showPopover({ source: opener });
  opener.popoverTargetElement.querySelector("a, button")?.focus();
});
