import { useSyncExternalStore } from "react";

/** What the look depends on: changes when the theme does, by hand or by the system. */
export function useLook(): string {
  return useSyncExternalStore(subscribe, present);
}

const dark = (): MediaQueryList | undefined => globalThis.matchMedia?.("(prefers-color-scheme: dark)");

function subscribe(listener: () => void): () => void {
  const media = dark();
  media?.addEventListener("change", listener);
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    media?.removeEventListener("change", listener);
    observer.disconnect();
  };
}

function present(): string {
  return `${document.documentElement.dataset.theme ?? "system"} ${dark()?.matches ? "dark" : "light"}`;
}
