// Parts that take a while come after the page: [data-load-src] with data-load-fragment and data-load-text, which is shown
// meanwhile. What stands there before is the way without script, and stays when nothing comes.
import { announce, element, fragment, replaceContent } from "./page.js";

for (const part of document.querySelectorAll("[data-load-src]")) {
  const before = [...part.childNodes];
  part.setAttribute("aria-busy", "true");
  part.replaceChildren(element("p", { class: "muted" }, part.dataset.loadText));
  fragment(part.dataset.loadSrc, part.dataset.loadFragment)
    .catch(() => null)
    .then((html) => {
      if (html === null) part.replaceChildren(...before);
      else replaceContent(part, html);
      part.removeAttribute("aria-busy");
      if (html !== null) announce(part.textContent.trim());
    });
}
