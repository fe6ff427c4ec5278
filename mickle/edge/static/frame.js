// The button inside its frame: shows the count, and records a nod by a site pass or through our window.
// What it is to show stands in the fragment, so that all buttons of a page share one document, or in
// the document itself. Nothing is asked and nothing is sent that names a person before a click.
(() => {
  "use strict";
  const root = document.documentElement;
  const given = new URLSearchParams(location.hash.slice(1));
  const words = JSON.parse(root.dataset.words);
  const read = (name) => given.get(name) || root.dataset[name] || "";
  const oneOf = (name, known) => (known.includes(read(name)) ? read(name) : known[0]);
  const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
  const place = (text) => {
    try {
      const url = new URL(text);
      return /^https?:$/.test(url.protocol) ? url : null;
    } catch {
      return null;
    }
  };

  const size = oneOf("size", ["wide", "compact", "tall"]);
  const theme = oneOf("theme", ["auto", "light", "dark"]);
  const language = oneOf("lang", Object.keys(words));
  const speech = words[language];
  // Without what could turn the text around it, as the server does.
  const title = [...read("title").replace(/[\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu, " ")].slice(0, 200).join("");
  const thing = /^\d{1,19}$/.test(read("id")) ? { id: Number(read("id")) } : { url: place(read("url"))?.href };
  const asked = new URLSearchParams(thing).toString();
  const pages = place(root.dataset.pages)?.origin || location.origin;

  const framed = parent !== self;
  const nonce = given.get("nonce");
  const referrer = place(document.referrer);
  // "null" stands for a sandboxed page; what is told to it is no secret.
  const around = location.ancestorOrigins?.[0];
  const embedder = around || referrer?.origin || "";
  // The site that frames it, known only where nobody frames that site in turn. A page of the site
  // that leads its own frame on to here leaves its name as the referrer, whoever is around.
  const sure = framed && parent === top && referrer && (!around || around === referrer.origin);
  const host = sure ? referrer.host : "";

  // --- what this browser keeps for buttons on this site ----------------------------------------
  // Some browsers refuse this storage to frames of other sites and keep partitioned cookies all the
  // same. Then a click asks whether there is a pass, for nothing here can know.
  const memory = new Map();
  const stores = (() => {
    try {
      return Boolean(localStorage);
    } catch {
      return false;
    }
  })();
  const keep = (name, value) => {
    memory.set(name, value);
    try {
      localStorage.setItem(name, value);
    } catch {
      // Blocked or full: known until the page is left.
    }
  };
  const kept = (name) => {
    try {
      return localStorage.getItem(name) ?? memory.get(name) ?? "";
    } catch {
      return memory.get(name) ?? "";
    }
  };
  const passes = () => {
    try {
      return Object(JSON.parse(kept("passes") || "{}"));
    } catch {
      return {};
    }
  };
  const folded = (name) => name.replace(/^(www\.)+(?=.*\.)/, "");
  const site = (known) => [host, folded(host)].find((one) => one && one in known);
  const ownPage = () => host && (!thing.url || folded(new URL(thing.url).host) === folded(host));
  const month = () => new Date().toISOString().slice(0, 7);
  const remembered = () => kept("nod " + asked) >= month();

  // --- what is seen and heard ------------------------------------------------------------------
  let state = remembered() ? "nodded" : "counted";
  let count = null;
  let busy = false;
  const says = document.querySelector("[role=status]");
  const button = document.createElement("button");

  const short = (n) => {
    if (n < 1e4) return String(n);
    const [unit, letter] = n < 1e6 ? [1e3, "k"] : [1e6, "M"];
    const whole = Math.floor(n / unit);
    const tenth = Math.floor(((n % unit) * 10) / unit);
    return whole + (tenth && whole < 100 ? speech.point + tenth : "") + letter;
  };
  const noun = (n) => speech.nouns[new Intl.PluralRules(language).select(n)] || speech.nouns.other;
  const paint = () => {
    const group = button.querySelector("svg > g");
    group.setAttribute("class", state);
    group.querySelector("text.t").textContent = speech[{ nodded: "nodded", own: "own" }[state] || "label"];
    group.querySelector("text.q").textContent = count === null ? "" : short(count);
    button.setAttribute("aria-pressed", String(state === "nodded"));
    button.disabled = state === "own" || !asked || asked === "url=undefined";
    const spoken = speech[{ nodded: "done", own: "own" }[state] || "deed"];
    const number = count === null ? "" : `, ${count} ${noun(count)}`;
    button.setAttribute("aria-label", spoken + number + (title && `: ${title}`));
    document.title = spoken + (title && `: ${title}`);
  };
  const show = (number) => {
    if (!Number.isSafeInteger(number) || number < 0 || number === count) return;
    const news = count !== null;
    count = number;
    paint();
    // Fifty buttons that speak whenever somebody nods would drown the page: only the one in use does.
    if (news && document.hasFocus()) says.textContent = `${count} ${noun(count)}`;
  };
  const tell = (message) => {
    if (framed && nonce) parent.postMessage({ mickle: 1, nonce, ...message }, place(embedder) ? embedder : "*");
  };

  // --- counts ----------------------------------------------------------------------------------
  let alone = !nonce;
  let near = false;
  const ask = async (cache = "default") => {
    const answer = await fetch(`/b/count?${asked}`, { credentials: "omit", cache }).catch(() => null);
    if (answer?.ok) show((await answer.json()).count);
  };
  const poll = () => alone && near && !document.hidden && ask();
  setInterval(poll, 30_000);

  // --- a click ---------------------------------------------------------------------------------
  const begun = performance.now();
  let since = begun;
  let visible = null;
  // Some of an edge may be lost between two pixels.
  const WHOLE = 0.9;
  const watcher = new IntersectionObserver(
    (entries) => {
      const { isIntersecting, isVisible, intersectionRatio } = entries.at(-1);
      if (isIntersecting && !near) since = performance.now();
      near = isIntersecting;
      // It looks for covers and fading; what is blown up or clipped is not there as a whole.
      visible = watcher.trackVisibility ? isVisible && intersectionRatio >= WHOLE : null;
    },
    { threshold: [0, WHOLE], trackVisibility: true, delay: 100 },
  );

  let key = random();
  const post = (deed, body) =>
    fetch(`/c/${deed}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
    });

  let opened = null;
  let secret = "";
  // Firefox lets only the frame that opened a window lead it on, so each button has its own.
  const mine = `mickle-nod-${random()}`;
  const openWindow = () => {
    secret = random();
    const query = new URLSearchParams({ ...thing, nonce: secret, title });
    if (host) query.set("host", referrer.origin);
    // The window is asked by address; a frame that knows a number only leads to the thing's own page.
    const path = thing.url ? `/nod/window?${query}` : `/thing/${thing.id}`;
    const popup = (name) => open(pages + path, name, "popup,width=420,height=560");
    try {
      opened = popup(mine);
    } catch {
      // A window that this frame may not lead on stays; a press shows something all the same.
      opened = popup("_blank");
    }
    opened?.focus();
  };

  const settle = async ({ nodded, month: when, count: now }) => {
    state = nodded ? "nodded" : "counted";
    keep("nod " + asked, nodded ? String(when || month()) : "");
    paint();
    if (now === undefined) {
      // A count may be a second old, and what the browser keeps of it older.
      await new Promise((done) => setTimeout(done, 1100));
      await ask("no-cache");
    } else show(now);
    tell({ nodded, count });
  };

  /** Records by the pass of this site; false where the window has to be asked instead. */
  const nodByPass = async (evidence) => {
    const known = passes();
    const here = site(known);
    if (here === undefined && (stores || !ownPage())) return false;
    const pass = (here && known[here]) || undefined;
    const answer = await post("nod", { ...thing, key, pass, evidence }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok && said) {
      key = random();
      await settle(said);
      return true;
    }
    if (said?.reason === "no-pass" && here) {
      delete known[here];
      keep("passes", JSON.stringify(known));
    }
    if (said?.reason === "own") {
      state = "own";
      paint();
    }
    if (said?.error && here) says.textContent = speech.why[said.reason] || said.error;
    return said?.reason === "own";
  };

  const press = async (event) => {
    if (busy) return;
    busy = true;
    try {
      // What came under the cursor a moment ago has not been seen yet.
      const dwell = near ? Math.round(performance.now() - since) : 0;
      const evidence = { trusted: event.isTrusted, visible, dwell_ms: dwell };
      if (state === "nodded" || !(await nodByPass(evidence))) openWindow();
    } finally {
      busy = false;
    }
  };

  /** Fetches the pass that the window granted, as a cookie where the browser keeps one here. */
  const fetchPass = async (code, answersTo) => {
    const probe = async () => (await post("probe", {})).json();
    const cookie = (await probe()).kept || (await probe()).kept;
    const answer = await post("exchange", { code, nonce: answersTo, keep: cookie ? "cookie" : "token" });
    if (!answer.ok) return;
    const { site: granted, token } = await answer.json();
    keep("passes", JSON.stringify({ ...passes(), [granted]: token || "" }));
  };

  addEventListener("message", ({ data, origin, source }) => {
    if (data?.mickle !== 1 || typeof data.nonce !== "string") return;
    if (framed && source === parent && data.nonce === nonce && (!embedder || origin === embedder)) {
      if (data.ask && !alone) {
        alone = true;
        ask();
      }
      show(data.count);
      if (typeof data.nodded === "boolean" && state !== "own") {
        // Another button of this page stands for the same thing.
        state = data.nodded ? "nodded" : "counted";
        paint();
      }
    } else if (opened && source === opened && origin === pages && data.nonce === secret) {
      if (typeof data.nodded === "boolean") settle(data);
      if (typeof data.code === "string") fetchPass(data.code, secret).catch(() => {});
    }
  });
  // Another page of this site.
  addEventListener("storage", () => {
    if (state === "own" || remembered() === (state === "nodded")) return;
    state = remembered() ? "nodded" : "counted";
    paint();
  });

  // --- the beginning ---------------------------------------------------------------------------
  root.dataset.size = size;
  root.dataset.theme = theme;
  if (nonce) root.dataset.placed = "";
  root.lang = language;
  root.dir = speech.rtl ? "rtl" : "ltr";
  const drawn = document.querySelector("a.act");
  const shape = document.getElementById(`${size}${speech.rtl ? "-rtl" : ""}`);
  button.type = "button";
  button.className = "act";
  button.append(drawn ? drawn.firstElementChild : shape.content.firstElementChild.cloneNode(true));
  button.addEventListener("click", press);
  // A key held since before was meant for what had the focus then.
  button.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
  if (drawn) drawn.replaceWith(button);
  else document.getElementById("place").prepend(button);
  if (!framed) {
    // As a page of its own it has what a page has; fifty frames in a page with a heading each would not help.
    const heading = Object.assign(document.createElement("h1"), { className: "sr", textContent: "Mickle" });
    document.getElementById("place").setAttribute("role", "main");
    document.getElementById("place").prepend(heading);
  }
  if (root.dataset.count) count = Number(root.dataset.count);
  paint();
  watcher.observe(button);
  if (alone && count === null && !button.disabled) ask();
  tell({ hello: 1 });
})();
