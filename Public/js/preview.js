// The preview follows the form: the form is sent to a new frame, which takes the place of the old one when it has loaded.
// A new frame leaves no trace in the history. Markup: [data-preview] with data-preview-form (the id of the form),
// a submit button [data-preview-button] with formaction and formtarget (the way without script), and the frame.
import { debounce } from "./page.js";

for (const preview of document.querySelectorAll("[data-preview]")) {
  const form = document.getElementById(preview.dataset.previewForm);
  const stage = preview.querySelector(".preview-stage");
  const button = document.querySelector("[data-preview-button]");
  let frame = stage?.querySelector("iframe");
  if (!form || !button || !frame) continue;
  let coming = null;

  const refresh = () => {
    coming?.remove();
    coming = frame.cloneNode();
    coming.removeAttribute("src");
    coming.name = `preview-${Date.now()}`;
    coming.hidden = true;
    const next = coming;
    stage.append(next);
    next.addEventListener("load", () => {
      if (next !== coming) return;
      next.hidden = false;
      frame.remove();
      frame = next;
      coming = null;
    });
    button.formTarget = next.name;
    form.requestSubmit(button);
  };

  form.addEventListener("input", debounce(500, refresh));
  form.addEventListener("change", debounce(100, refresh));
  button.addEventListener("click", (event) => {
    if (!event.isTrusted) return;
    event.preventDefault();
    refresh();
  });

  const widths = [...preview.querySelectorAll("[data-preview-width]")];
  for (const choice of widths) {
    choice.hidden = false;
    choice.addEventListener("click", () => {
      stage.dataset.width = choice.dataset.previewWidth;
      for (const other of widths) other.setAttribute("aria-pressed", String(other === choice));
    });
  }
  refresh();
}
