// A press that begins as this page comes to the front was meant for the page before it, and so was a key still held:
// half a second counts for nothing.
let shown = performance.now();
let early = false;
const fresh = () => performance.now() - shown < 500;
for (const kind of ["focus", "visibilitychange"]) addEventListener(kind, () => (shown = performance.now()));
addEventListener("pageshow", (e) => e.persisted && (shown = performance.now()));
addEventListener("pointerdown", () => (early = fresh()), true);
addEventListener("keydown", (e) => (early = e.repeat || fresh()), true);
addEventListener("submit", (e) => {
  if (e.target.matches("[data-confirm]") && (early || fresh())) {
    e.preventDefault();
    e.stopImmediatePropagation();
  }
  early = false;
}, true);

// The member wants links of this site to count at once. Sent before the page has loaded, so that it leaves no place
// in the history to go back to and nod again.
document.querySelector("form[data-at-once]")?.submit();

// The button that opened this window hears what became of the nod; a page of any other origin does not.
const said = document.querySelector("[data-told]");
if (said && window.opener) {
  window.opener.postMessage(JSON.parse(said.dataset.told), said.dataset.to);
  for (const part of document.querySelectorAll("[data-heard]")) part.hidden = false;
}
said?.remove();
for (const part of document.querySelectorAll("[data-close]")) {
  part.hidden = !window.opener;
  part.querySelector("button").addEventListener("click", () => window.close());
}

// Without the button that opened the window there is nobody to hand a pass to.
for (const part of document.querySelectorAll("[data-with-opener]")) part.hidden = !window.opener;
