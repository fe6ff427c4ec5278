/** What `mickle-nod` tells: the visitor gave a nod on this page or took one back. */
export interface MickleNod {
  nodded: boolean;
  /** All nods of the thing, as far as known; null where no number has arrived. */
  count: number | null;
}

/** `<mickle-button url title size theme lang live>`; every attribute may be left out. */
export interface MickleButtonAttributes {
  /** The page nodded at. By itself the canonical link, else the address without its fragment. */
  url?: string;
  /** The name of what is nodded at, for people who hear the button. */
  title?: string;
  size?: "wide" | "compact" | "tall";
  theme?: "auto" | "light" | "dark";
  /** By itself the language of the page; others than these say "Nod". */
  lang?: "en" | "de" | "ar" | "fr" | "es" | "sv" | (string & {});
  /** Follow the count as it changes instead of asking every half minute. */
  live?: boolean | "";
}

declare global {
  interface HTMLElementTagNameMap {
    "mickle-button": HTMLElement;
  }
  interface HTMLElementEventMap {
    "mickle-nod": CustomEvent<MickleNod>;
  }
}
