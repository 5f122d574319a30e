// Questions: a link to a confirm page opens it as a dialog; a form with data-confirm asks first.
import { element, fragment } from "./page.js";

function show(content) {
  const dialog = element("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, content);
  const title = dialog.querySelector("h1, h2");
  if (title) title.id = "dialog-title";
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[autofocus], [data-dialog-close]")?.focus();
  return dialog;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  link.closest("[popover]")?.hidePopover();
  const html = await fragment(link.href, link.dataset.dialog || "confirm").catch(() => null);
  if (html === null) return location.assign(link.href);
  const body = element("div");
  body.innerHTML = html;
  show(body).addEventListener("close", () => link.focus());
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  const question = button?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const label = button?.dataset.confirmLabel ?? form.dataset.confirmLabel ?? button?.textContent.trim() ?? "Continue";
  const kind = form.dataset.confirmKind ?? "danger";
  const yes = element("button", { type: "button", class: `button button-${kind}` }, label);
  const no = element("button", { type: "button", class: "button", "data-dialog-close": true }, "Cancel");
  const dialog = show(element("div", { class: "confirm" },
    element("h2", { class: "confirm-title" }, question),
    element("p", { hidden: !form.dataset.confirmText }, form.dataset.confirmText ?? ""),
    element("div", { class: "form-actions" }, yes, no)));
  yes.addEventListener("click", () => {
    form.dataset.confirmed = "yes";
    dialog.close();
    form.requestSubmit(button);
    delete form.dataset.confirmed;
  });
}, true);
