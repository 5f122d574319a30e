// A field that finds one of many: [data-combobox] holds the address of the suggestions (a page with the fragment
// "options"), a text field, a button that asks the server, and a select with what it found. With script the text field
// becomes a combobox with a list (WAI-ARIA Authoring Practices), and the select keeps the choice, hidden.
import { announce, debounce, element, fragment } from "./page.js";

for (const box of document.querySelectorAll("[data-combobox]")) {
  const input = box.querySelector("input");
  const select = box.querySelector("select");
  const list = element("ul", {
    class: "combobox-list", role: "listbox", id: `${select.id}-list`, hidden: true,
    "aria-label": box.querySelector("label").textContent,
  });
  let options = [];
  let active = -1;
  let running;
  let asked = null;

  select.hidden = true;
  box.querySelector("[data-combobox-find]").hidden = true;
  input.parentElement.append(list);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
    "aria-haspopup": "listbox",
  })) input.setAttribute(name, value);

  const chosen = () => select.selectedOptions[0]?.textContent.trim() ?? "";
  input.value = chosen();

  const mark = (place) => {
    active = place;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === place)));
    if (place < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", options[place].id);
      options[place].scrollIntoView({ block: "nearest" });
    }
  };

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  };

  const open = () => {
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };

  const load = async (words) => {
    running?.abort();
    running = new AbortController();
    asked = words;
    const url = new URL(box.dataset.combobox, location.href);
    url.searchParams.set("q", words);
    try {
      const html = await fragment(url, "options", { signal: running.signal });
      if (html === null) return close();
      list.innerHTML = html;
      options = [...list.querySelectorAll("[role=option]:not([aria-disabled])")];
      options.forEach((option, index) => { option.id = `${list.id}-${index}`; });
      mark(-1);
      open();
      announce(options.length === 1 ? "1 found" : `${options.length} found`);
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };
  const find = debounce(180, () => load(input.value.trim()));

  const choose = (option) => {
    const label = (option.querySelector("[data-label]") ?? option).textContent.trim();
    let known = [...select.options].find((other) => other.value === option.dataset.value);
    if (!known) {
      known = new Option(label, option.dataset.value);
      select.append(known);
    }
    known.selected = true;
    input.value = chosen();
    close();
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const step = async (by) => {
    if (list.hidden) await load(input.value === chosen() ? "" : input.value.trim());
    if (options.length) mark((active + by + options.length + (active < 0 && by < 0 ? 1 : 0)) % options.length);
  };

  input.addEventListener("input", (event) => {
    // Words to search for are no change of the form.
    event.stopPropagation();
    find();
  });
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("click", () => {
    if (list.hidden) load(input.value === chosen() ? "" : input.value.trim());
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      step(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      // Enter chooses; it must not send the form around the field.
      event.preventDefault();
      if (active >= 0) choose(options[active]);
      else if (input.value.trim() !== asked) load(input.value.trim());
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      input.value = chosen();
      close();
    }
  });
  input.addEventListener("blur", () => {
    running?.abort();
    close();
    input.value = chosen();
  });
  // Taking the focus from the field would close the list before the click arrives.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]:not([aria-disabled])");
    if (option) choose(option);
  });
}
