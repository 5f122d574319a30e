// Forms that change a part of the page without leaving it: `form[data-inline="notes"]` posts, follows the redirect, and
// puts the fragment `notes` of the answer into the element with that id. A timeline grows at its end: [data-more] holds a
// list and a link to what is older.
import { announce } from "./page.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-inline]");
  if (!form || event.defaultPrevented) return;
  const name = form.dataset.inline;
  const target = document.getElementById(name);
  if (!target) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) body.append(event.submitter.name, event.submitter.value);
  const response = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": name } }).catch(() => null);
  const isPart = response && (response.ok || response.status === 422 || response.status === 409);
  if (!isPart) return location.reload();
  target.innerHTML = await response.text();
  announce(response.ok ? "Saved" : "There is a problem");
  const problem = target.querySelector("[aria-invalid], .field-error");
  const next = problem?.closest(".field")?.querySelector("input, select, textarea") ?? target.querySelector("summary");
  next?.focus();
});

for (const box of document.querySelectorAll("[data-more]")) {
  let isLoading = false;
  const load = async (link) => {
    if (isLoading) return;
    isLoading = true;
    const response = await fetch(link.href, { headers: { "X-Fragment": "timeline" } }).catch(() => null);
    if (!response?.ok) return location.assign(link.href);
    const part = document.createElement("template");
    part.innerHTML = await response.text();
    box.querySelector("ol")?.append(...part.content.querySelectorAll("ol > li"));
    const older = part.content.querySelector("[data-more-link]");
    if (older) link.replaceWith(older);
    else link.remove();
    isLoading = false;
    if (older) watch(older);
  };
  const watch = (link) => {
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      load(link);
    }, { rootMargin: "400px" }).observe(link);
  };
  box.addEventListener("click", (event) => {
    const link = event.target.closest("[data-more-link]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    load(link);
  });
  const first = box.querySelector("[data-more-link]");
  if (first) watch(first);
}
