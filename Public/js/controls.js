// Controls that script makes handier: copying, passwords, colours, the error summary.
import { announce, element } from "./page.js";

// Copying
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    const label = button.querySelector("span");
    label.textContent = "Copied";
    announce("Copied");
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });
}

// Passwords can be read while they are typed
for (const input of document.querySelectorAll("input[type=password]")) {
  const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`)?.textContent ?? "password";
  const text = element("span", {}, "Show");
  const button = element("button", { type: "button", class: "button button-quiet", "aria-pressed": "false" }, text,
    element("span", { class: "visually-hidden" }, ` ${label.toLowerCase()}`));
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    text.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shown));
  });
  const frame = element("div", { class: "password-field" });
  input.replaceWith(frame);
  frame.append(input, button);
}

// Colours change at once and are remembered by the server
document.querySelector("[data-theme-form]")?.addEventListener("submit", (event) => {
  if (!event.submitter) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  document.documentElement.dataset.theme = event.submitter.value;
  for (const button of event.target.querySelectorAll("button")) button.removeAttribute("aria-current");
  event.submitter.setAttribute("aria-current", "true");
  fetch(event.target.action, { method: "POST", body }).catch(() => announce("The choice could not be saved."));
});

const zone = document.querySelector("[data-time-zone]");
if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

const summary = document.querySelector("[data-error-summary]");
if (summary) {
  summary.tabIndex = -1;
  summary.focus();
}
