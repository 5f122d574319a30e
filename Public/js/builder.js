// The builder of segments: its buttons change the form on the server; here only what changed is fetched and put in place.
import { announce, debounce, fragment, replaceContent } from "./page.js";

for (const form of document.querySelectorAll("form[data-builder]")) {
  const rows = form.querySelector("[data-builder-rows]");
  const preview = form.querySelector("[data-builder-preview]");
  let counting;

  const send = (name, command, signal) => {
    const body = new URLSearchParams(new FormData(form));
    body.set("do", command);
    return fragment(form.action, name, { method: "POST", body, signal });
  };

  const state = () => new URLSearchParams(new FormData(form)).toString();

  const count = async () => {
    counting?.abort();
    const own = counting = new AbortController();
    preview.setAttribute("aria-busy", "true");
    try {
      const html = await send("preview", "apply", own.signal);
      if (own.signal.aborted) return;
      if (html !== null) {
        replaceContent(preview, html);
        announce(preview.querySelector(".preview-count")?.textContent ?? "");
      }
    } catch (error) {
      if (error.name === "AbortError") return;
    }
    preview.removeAttribute("aria-busy");
  };
  const countSoon = debounce(300, count);

  const change = async (command, focus, message) => {
    // Whoever types on while the answer is under way must not lose a letter: then the form is sent as it is now.
    let html;
    let before;
    do {
      before = state();
      html = await send("builder", command).catch(() => null);
      if (html === null) return false;
    } while (state() !== before);
    // All anew: what was chosen in a condition must not stay behind when another one takes its place.
    const next = document.createElement("template");
    next.innerHTML = html;
    const { id, selectionStart, selectionEnd } = document.activeElement ?? {};
    const wasInside = rows.contains(document.activeElement);
    rows.replaceChildren(next.content);
    // Whoever has gone on to the next control stays there.
    const same = wasInside && command === "apply" ? document.getElementById(id) : null;
    (same ?? focus())?.focus();
    if (same && typeof selectionStart === "number") same.setSelectionRange(selectionStart, selectionEnd);
    if (message) announce(message);
    countSoon();
    return true;
  };

  const conditions = () => [...rows.querySelectorAll(".rule")];
  const firstControl = (part) => part?.querySelector("select, input:not([type=hidden]), textarea");

  const focusAfter = (command) => {
    const [verb, path] = command.split(" ");
    if (verb === "where" || verb === "unwhere") {
      const own = verb === "where" ? path : path.slice(0, path.lastIndexOf("."));
      const wanted = verb === "where" ? "[name$='.property']" : ".rule-where";
      return () => [...rows.querySelectorAll(`.rule[data-path="${own}"] ${wanted}`)].at(-1);
    }
    if (verb === "remove") {
      const index = conditions().findIndex((rule) => rule.dataset.path === path);
      return () => conditions()[Math.max(0, index - 1)]?.querySelector(".rule-remove") ?? rows.querySelector("button");
    }
    const before = new Set(conditions().map((rule) => rule.dataset.path));
    return () => firstControl(conditions().find((rule) => !before.has(rule.dataset.path)) ?? conditions().at(-1));
  };

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (button?.name !== "do") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const command = button.value;
    if (command === "apply") return countSoon();
    const done = await change(command, focusAfter(command));
    if (!done) return form.requestSubmit();
    const word = /^(remove|unwhere)/.test(command) ? "Removed" : "Added";
    announce(command.includes("where") ? word : `${word}, ${conditions().length} conditions`);
  }, true);

  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-refresh]")) {
      const id = event.target.id;
      change("apply", () => document.getElementById(id));
    } else {
      countSoon();
    }
  });
  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-refresh]")) countSoon();
  });
}
