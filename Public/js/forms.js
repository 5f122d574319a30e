// Forms: busy buttons, a warning before unsaved text is lost, files dropped from the desktop.
const changed = new Set();

const snapshot = (form) => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();

for (const form of document.querySelectorAll("form[data-unsaved]")) {
  const before = snapshot(form);
  const look = () => (snapshot(form) === before ? changed.delete(form) : changed.add(form));
  form.addEventListener("input", look);
  form.addEventListener("change", look);
}

addEventListener("beforeunload", (event) => {
  if (changed.size) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  // A form that goes into a frame leaves the page as it is.
  if ((button?.formTarget || event.target.target).startsWith("preview")) return;
  changed.clear();
  if (!button?.dataset.busy) return;
  if (button.getAttribute("aria-busy") === "true") return event.preventDefault();
  button.setAttribute("aria-busy", "true");
  (button.querySelector("span") ?? button).textContent = button.dataset.busy;
});

// Coming back with the back button shows the page as it was left.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
});

for (const drop of document.querySelectorAll("[data-file-drop]")) {
  const area = drop.querySelector(".file-drop-area");
  const input = drop.querySelector("input[type=file]");
  const text = drop.querySelector("[data-file-drop-text]");
  text.hidden = false;
  const size = (bytes) => bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  const show = () => { text.textContent = input.files.length ? `${input.files[0].name}, ${size(input.files[0].size)}` : "or drop a file here"; };
  input.addEventListener("change", show);
  area.addEventListener("dragover", (event) => {
    event.preventDefault();
    area.dataset.over = "";
  });
  for (const end of ["dragleave", "drop"]) area.addEventListener(end, () => { delete area.dataset.over; });
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    show();
  });
}
