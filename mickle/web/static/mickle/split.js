// The coin on the home page: each press cuts or joins a slice. Without this file the series of pictures stays.
const box = document.querySelector(".try");
if (box) {
  const svg = box.querySelector(".play svg"), says = box.querySelector(".says"), NS = "http://www.w3.org/2000/svg";
  const buttons = [...box.querySelectorAll(".picks button")], { budget, fee } = box.dataset;
  const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: box.dataset.currency });
  const plural = new Intl.PluralRules(document.documentElement.lang);
  const cents = (micros) => money.format(Math.floor(micros / 1e4) / 100);
  const at = (turn) => [86 * Math.sin(turn * 2 * Math.PI), -86 * Math.cos(turn * 2 * Math.PI)].map((v) => v.toFixed(2)).join(" ");
  const draw = (added) => {
    const n = buttons.filter((b) => b.getAttribute("aria-pressed") === "true").length;
    svg.querySelectorAll(".cut, .hub, .val:not(.whole), .sub:not(.whole)").forEach((s) => s.remove());
    for (let i = 0; i < n; i++) {
      const s = document.createElementNS(NS, "path");
      s.setAttribute("class", added && i === n - 1 ? "cut new" : "cut");
      s.setAttribute("d", n === 1 ? "M0-86A86 86 0 1 1 0 86A86 86 0 1 1 0-86Z" : `M0 0L${at(i / n)}A86 86 0 0 1 ${at((i + 1) / n)}Z`);
      svg.append(s);
    }
    const gross = n ? budget / n : 0, part = Math.floor((gross * fee) / 100);
    if (n) {
      for (const [tag, name, y, text] of [["circle", "hub", 0], ["text", "val", 3, cents(gross - part)], ["text", "sub", 14, box.dataset.each]]) {
        const s = document.createElementNS(NS, tag);
        s.setAttribute("class", name);
        if (text) { s.setAttribute("y", y); s.textContent = text; } else s.setAttribute("r", 31);
        svg.append(s);
      }
    }
    const text = n ? box.dataset[plural.select(n)] ?? box.dataset.other : box.dataset.none;
    says.textContent = text.replace("{n}", n).replace("{net}", cents(gross - part)).replace("{fee}", cents(part)).replace("{budget}", cents(budget));
  };
  box.querySelector(".series").hidden = true;
  for (const c of [".play", ".says", ".picks"]) box.querySelector(c).hidden = false;
  for (const b of buttons) b.addEventListener("click", () => {
    const on = b.getAttribute("aria-pressed") !== "true";
    b.setAttribute("aria-pressed", on);
    draw(on);
  });
  draw(false);
}
