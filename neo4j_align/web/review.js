// Single keys for what a page offers as [data-key]; they can be switched off, and never act while somebody types.
"use strict";

const box = document.getElementById("keys");
const stored = "align-review-keys";
box.checked = localStorage.getItem(stored) !== "off";
box.addEventListener("change", () => localStorage.setItem(stored, box.checked ? "on" : "off"));

function typing(element) {
  return element.matches("textarea, select, input:not([type=checkbox])") || element.isContentEditable;
}

let sent = false; // a key that is held down or pressed twice judges once
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!box.checked || event.repeat || sent) return;
  const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!target) return;
  event.preventDefault();
  if (typing(target)) {
    target.focus();
  } else {
    sent = true;
    target.click();
  }
});
window.addEventListener("pageshow", () => { sent = false; });
