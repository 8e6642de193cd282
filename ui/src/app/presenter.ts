import { useSyncExternalStore } from "react";

const NAME = "aether.presenter";
const listeners = new Set<() => void>();
let presenting = globalThis.sessionStorage?.getItem(NAME) === "yes";

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether amounts are hidden because others look at the screen. */
export function usePresenter(): boolean {
  return useSyncExternalStore(subscribe, () => presenting);
}

export function setPresenter(hide: boolean): void {
  presenting = hide;
  globalThis.sessionStorage?.setItem(NAME, hide ? "yes" : "no");
  for (const listener of listeners) listener();
}
