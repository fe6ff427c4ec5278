// A click that lands as this page comes to the front was meant for the page before it: half a second counts for nothing.
let shown = performance.now();
addEventListener("focus", () => (shown = performance.now()));
for (const form of document.querySelectorAll("form[data-confirm]"))
  form.addEventListener("submit", (e) => performance.now() - shown < 500 && e.preventDefault());
