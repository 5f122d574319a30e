// Long work: the server sends new HTML for the part that changes, over server-sent events.
import { announce, replaceContent } from "./page.js";

for (const part of document.querySelectorAll("[data-live-src]")) {
  const source = new EventSource(part.dataset.liveSrc);
  let spoken = Date.now();
  let isLeaving = false;
  source.addEventListener("fragment", (event) => {
    replaceContent(part, event.data);
    const text = part.querySelector("[data-live-status]")?.textContent.trim();
    if (!text || Date.now() - spoken < 10_000) return;
    spoken = Date.now();
    announce(text);
  });
  source.addEventListener("done", () => {
    source.close();
    // Whoever is on the way to another page must not be called back; who only fetched a file is still here later.
    if (isLeaving) setTimeout(() => location.reload(), 5_000);
    else location.reload();
  });
  addEventListener("beforeunload", () => (isLeaving = true));
  addEventListener("pagehide", () => source.close());
}
