// The button of Mickle, also in place of plain nod links, which work without it. Keeps nothing.
(() => {
  "use strict";
  const NAME = "mickle-button";
  const SIZES = { wide: [160, 36], compact: [110, 24], tall: [55, 62] };
  const WORDS = { de: "Danke", ar: "شكرا", fr: "Merci", es: "Gracias", sv: "Tack" };
  const script =
    document.currentScript || document.querySelector('script[src$="/b/b.js"],script[src$="/b/1/b.js"]');
  if (!script?.src || customElements.get(NAME)) return;
  const origin = new URL(script.src).origin;
  const pages = new URL(script.dataset.pages || origin).origin;

  const shown = new Map(); // button in the page -> what is known of it
  const pairs = new WeakMap(); // link -> its button, and button -> its link
  let waiting, stream, streamed;
  let last = 0;

  const tell = (state, message) =>
    state.frame?.contentWindow?.postMessage({ mickle: 1, nonce: state.nonce, ...message }, origin);

  const tellCount = (state) => {
    const { ready, blocked, count } = state;
    if (ready && (blocked || count >= 0)) tell(state, blocked ? { ask: 1 } : { count });
  };

  const ask = async (states) => {
    last = Date.now();
    for (const state of states) state.asked = true;
    const urls = [...new Set(states.map((state) => state.url))];
    while (urls.length) {
      const some = [];
      // Proxies refuse long request lines.
      for (let room = 6000; urls.length && some.length < 100; some.push(urls.shift()))
        if ((room -= encodeURIComponent(urls[0]).length + 5) < 0 && some.length) break;
      const query = some.map((url) => "url=" + encodeURIComponent(url)).join("&");
      const found = await fetch(`${origin}/b/count?${query}`, {
        credentials: "omit",
        referrerPolicy: "no-referrer",
      })
        .then((answer) => answer.ok && answer.json())
        .catch(() => 0);
      const rows = [].concat(found);
      for (const state of states) {
        const place = some.indexOf(state.url);
        if (place < 0) continue;
        // Where the page lets nothing through, each frame asks by itself.
        state.blocked = !rows[place];
        Object.assign(state, rows[place] && { id: rows[place].id, count: rows[place].count });
        tellCount(state);
      }
    }
    listen();
  };

  // All buttons that appear together ask once.
  const soon = () => {
    clearTimeout(waiting);
    if (document.readyState !== "loading")
      waiting = setTimeout(() => ask([...shown.values()].filter((state) => state.url && !state.asked)), 20);
  };

  // One stream holds a hundred; the others are polled.
  const listen = () => {
    const names = new Set();
    for (const [one, state] of shown) {
      state.live = state.url && one.hasAttribute("live") && names.size < 100;
      if (state.live) names.add(state.id ? `id=${state.id}` : `url=${encodeURIComponent(state.url)}`);
    }
    const query = document.hidden ? "" : [...names].join("&");
    if (query === streamed) return;
    stream?.close();
    streamed = query;
    stream = query ? new EventSource(`${origin}/live?${query}`) : null;
    stream?.addEventListener("count", (event) => {
      const counts = JSON.parse(event.data);
      for (const state of shown.values()) {
        const count = counts[state.id] ?? counts[state.url];
        if (count >= 0) tellCount(Object.assign(state, { count }));
      }
    });
  };

  const poll = () => {
    const due = [...shown.values()].filter(
      (state) => state.visible && state.blocked === false && !(state.live && stream?.readyState < 2),
    );
    if (!document.hidden && due.length && Date.now() - last >= 29e3) ask(due);
  };

  // Without a frame the link comes back.
  const fail = (state) => {
    if (!state.ready) state.slot.style.display = "";
  };
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const state = shown.get(target);
      if (!state) continue;
      state.visible = isIntersecting;
      if (isIntersecting) state.late ||= setTimeout(fail, 8e3, state);
    }
    poll();
  });

  const address = (one) => {
    const canonical = document.querySelector("link[rel=canonical]")?.href;
    try {
      const url = new URL(one.getAttribute("url") || canonical || location.href, document.baseURI);
      if (!one.hasAttribute("url")) url.hash = "";
      return /^https?:$/.test(url.protocol) ? url.href : "";
    } catch {
      return "";
    }
  };

  const draw = (one) => {
    const root = one.shadowRoot || one.attachShadow({ mode: "open" });
    const get = (name) => one.getAttribute(name) || "";
    const size = SIZES[get("size")] ? get("size") : "wide";
    const [width, height] = SIZES[size];
    const language = (one.closest("[lang]")?.lang || document.documentElement.lang).slice(0, 2).toLowerCase();
    const url = address(one);
    const nonce = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const slot = document.createElement("slot");
    const state = { url, nonce, slot };
    const link = Object.assign(document.createElement("a"), {
      href: `${pages}/nod?url=${encodeURIComponent(url)}`,
      rel: "payment nofollow noopener",
      target: "_blank",
      textContent: WORDS[language] || "Nod",
    });
    slot.append(link);
    if (!one.childElementCount) slot.style.display = "none";
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      `:host{display:inline-block;position:relative;width:${width}px;height:${height}px}` +
        ":host([hidden]){display:none}iframe{position:absolute;inset:0;margin:auto 0;border:0;visibility:hidden;color-scheme:" +
        `${/^(light|dark)$/.test(get("theme")) ? get("theme") : "light dark"}}`,
    );
    root.adoptedStyleSheets = [sheet];
    root.replaceChildren(slot);
    shown.set(one, state);
    // The link it stands for is shown until it is ready.
    if (pairs.has(one)) one.style.cssText = "position:absolute;visibility:hidden";
    if (!url) return fail(state);
    const frame = (state.frame = document.createElement("iframe"));
    for (const [name, value] of Object.entries({
      title: "Mickle" + (get("title") && ": " + get("title")),
      loading: "lazy",
      referrerpolicy: "origin",
      ...(origin !== location.origin && {
        sandbox: "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox",
      }),
      width,
      height,
      src: `${origin}/b/frame#${new URLSearchParams({ url, size, theme: get("theme"), lang: language, title: get("title").slice(0, 400), nonce })}`,
    }))
      frame.setAttribute(name, value);
    // A frame that is refused loads, too.
    frame.addEventListener("load", () => setTimeout(fail, 1e3, state));
    root.append(frame);
    watch.observe(one);
    soon();
  };
  const drop = (one) => {
    const state = shown.get(one);
    clearTimeout(state?.late);
    shown.delete(one);
    watch.unobserve(one);
    if (state?.display == null) return;
    pairs.get(one).style.display = state.display;
  };

  const ready = (one, state) => {
    state.ready = true;
    const link = pairs.get(one);
    const focused = (link || one).contains(document.activeElement);
    state.slot.style.display = "none";
    state.frame.style.visibility = "visible";
    if (link) {
      // As high as its picture, so that nothing moves.
      const high = link.querySelector("img")?.offsetHeight;
      one.style.cssText = high ? `height:${high}px` : "";
      state.display ??= link.style.display;
      link.style.display = "none";
    }
    if (focused) state.frame.focus();
    tellCount(state);
  };

  addEventListener("message", ({ data, origin: from, source }) => {
    if (data?.mickle !== 1) return;
    for (const [one, state] of shown) {
      if (state.frame?.contentWindow !== source || state.nonce !== data.nonce) continue;
      // In a sandbox without an origin it could not nod.
      if (from !== origin) fail(state);
      else if (data.hello) ready(one, state);
      else if (typeof data.nodded === "boolean") {
        const { nodded, count = null } = data;
        const detail = { nodded, count };
        for (const other of shown.values()) if (other.url === state.url && other !== state) tell(other, detail);
        one.dispatchEvent(new CustomEvent("mickle-nod", { bubbles: true, composed: true, detail }));
      }
    }
  });
  document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
    if (/^(frame|child|default)-src/.test(effectiveDirective) && blockedURI.startsWith(origin))
      for (const state of shown.values()) fail(state);
  });
  document.addEventListener("visibilitychange", () => (listen(), poll()));
  setInterval(poll, 3e4);

  customElements.define(
    NAME,
    class extends HTMLElement {
      static observedAttributes = ["url", "title", "size", "theme", "lang", "live"];
      connectedCallback() {
        const { previousElementSibling: link, dataset } = this;
        // The page was copied.
        if (dataset.display != null && link?.href && !pairs.has(this)) {
          link.style.display = dataset.display;
          pairs.set(this, link).set(link, this);
        }
        draw(this);
      }
      disconnectedCallback() {
        drop(this);
        listen();
      }
      attributeChangedCallback(_name, before, after) {
        const state = shown.get(this);
        if (before === after || !state || state.stale) return;
        state.stale = true;
        queueMicrotask(() => this.isConnected && (drop(this), draw(this)));
      }
    },
  );

  const upgrade = (changes) => {
    // A button follows its link.
    for (const { removedNodes } of changes)
      for (const link of removedNodes) {
        const one = link.href && pairs.get(link);
        if (!one || link.nextSibling === one || link.previousSibling === one) continue;
        one.remove();
        pairs.delete(link);
      }
    for (const link of document.querySelectorAll(`a[rel~=payment][href^="${pages}/nod?url="]`)) {
      const before = pairs.get(link);
      // Its button was taken away: the link stays.
      if (before?.isConnected || before?.parentNode === null || link.closest(NAME)) continue;
      before?.remove();
      const drawn = new URLSearchParams(link.querySelector("img")?.src.split("?")[1]);
      const one = document.createElement(NAME);
      one.setAttribute("url", new URL(link.href).searchParams.get("url"));
      one.title = link.title;
      one.dataset.display = link.style.display;
      for (const name of ["size", "theme", "lang"]) {
        const value = link.dataset[name] || drawn.get(name);
        if (value) one.setAttribute(name, value);
      }
      pairs.set(one, link).set(link, one);
      link.after(one);
    }
  };
  new MutationObserver(upgrade).observe(document, { childList: true, subtree: true });
  document.addEventListener("DOMContentLoaded", soon);
  upgrade([]);
})();
