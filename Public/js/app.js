// Starts what a page needs. Every page works without this file; a module that fails leaves the plain way.
import "./interface.js";
import "./controls.js";

const parts = {
  "form": "./forms.js",
  "[data-bulk], [data-filter]": "./tables.js",
  "[data-combobox]": "./combobox.js",
  "[data-dialog], form[data-confirm]": "./dialogs.js",
  "form[data-inline], [data-more]": "./inline.js",
  "form[data-builder]": "./builder.js",
  "[data-live-src]": "./live.js",
  "[data-load-src]": "./load.js",
  "[data-editor]": "./editor.js",
  "[data-preview]": "./preview.js",
};

for (const [selector, file] of Object.entries(parts)) {
  if (document.querySelector(selector)) import(file);
}
