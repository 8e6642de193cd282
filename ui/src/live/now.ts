import { useSyncExternalStore } from "react";

import { serverNow } from "@/format/clock";

const listeners = new Set<() => void>();
let current = serverNow();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    current = serverNow();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const never = () => () => undefined;

/** Before anybody subscribes, which an effect does only after the first rendering, nothing renews it. */
function started(): number {
  if (timer === undefined) current = serverNow() - (serverNow() % 1000);
  return current;
}

/** The platform's time in milliseconds, renewed each second while somebody looks at an age; nothing to rely on while not. */
export function useNow(ticking = true): number {
  return useSyncExternalStore(ticking ? subscribe : never, ticking ? started : () => current);
}
