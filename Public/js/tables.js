// Lists: ticking rows shows the bar of actions; filters fill the results in place.
import { announce, debounce, fragment, replaceContent } from "./page.js";

function update(form) {
  const boxes = [...form.querySelectorAll("input[name=ids]")];
  const ticked = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-select-all]");
  const matching = form.querySelector("[data-bulk-all]");
  const everything = matching?.querySelector("input");
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  if (matching) {
    matching.hidden = !all?.checked;
    if (matching.hidden) everything.checked = false;
  }
  const count = form.querySelector("[data-bulk-count]");
  if (count) count.textContent = everything?.checked ? "All matching selected" : `${ticked.toLocaleString("en")} selected`;
}

let last;

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-bulk] input[name=ids]");
  if (!box) return;
  const boxes = [...box.form.querySelectorAll("input[name=ids]")];
  if (event.shiftKey && last && boxes.includes(last)) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const other of boxes.slice(from, to + 1)) other.checked = box.checked;
  }
  last = box;
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-bulk]");
  if (!form || event.target.type !== "checkbox") return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of form.querySelectorAll("input[name=ids]")) box.checked = event.target.checked;
  }
  update(form);
});

const bulk = () => document.querySelectorAll("form[data-bulk]").forEach(update);
bulk();
addEventListener("pageshow", bulk);

for (const form of document.querySelectorAll("form[data-filter]")) {
  const name = form.dataset.filter;
  const target = document.getElementById(name);
  if (!target) continue;
  let running;
  const load = async () => {
    const url = new URL(form.action || location.href);
    url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    running?.abort();
    running = new AbortController();
    target.setAttribute("aria-busy", "true");
    try {
      const html = await fragment(url, name, { signal: running.signal });
      if (html === null) return form.submit();
      replaceContent(target, html);
      history.replaceState(null, "", url);
      bulk();
      announce(target.querySelector(".pager-summary, .empty-title")?.textContent ?? "Results updated");
    } catch (error) {
      if (error.name === "AbortError") return;
      form.submit();
    }
    target.removeAttribute("aria-busy");
  };
  form.addEventListener("input", debounce(220, load));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
}
