// Long work: the server sends new HTML for the part that changes, over server-sent events.
import { announce, replaceContent } from "./page.js";

for (const part of document.querySelectorAll("[data-live-src]")) {
  const source = new EventSource(part.dataset.liveSrc);
  let spoken = Date.now();
  source.addEventListener("fragment", (event) => {
    replaceContent(part, event.data);
    const text = part.querySelector("[data-live-status]")?.textContent.trim();
    if (!text || Date.now() - spoken < 10_000) return;
    spoken = Date.now();
    announce(text);
  });
  source.addEventListener("done", () => {
    source.close();
    location.reload();
  });
  addEventListener("pagehide", () => source.close());
}
