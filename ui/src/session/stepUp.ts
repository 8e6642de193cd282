/**
 * One action confirmed by the second factor: what was sent waits, is confirmed as it stands, and
 * goes on under the same key. It is one command, whatever happens on the way.
 */

import { useSyncExternalStore } from "react";

export interface WantedStepUp {
  readonly operation: string;
  readonly path: string;
  readonly body: Record<string, unknown> | null;
  readonly confirm: (reference: string) => void;
  readonly cancel: () => void;
}

let wanted: WantedStepUp | undefined;
const listeners = new Set<() => void>();

function tell(next: WantedStepUp | undefined): void {
  wanted = next;
  for (const listener of listeners) listener();
}

export function useWantedStepUp(): WantedStepUp | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => wanted,
  );
}

/** Return the reference of a confirmation, undefined when the person does not confirm. */
export function stepUpFor(operation: string, path: string, body: Record<string, unknown> | null): Promise<string | undefined> {
  wanted?.cancel();
  return new Promise((resolve) => {
    const done = (reference: string | undefined) => {
      tell(undefined);
      resolve(reference);
    };
    tell({ operation, path, body, confirm: done, cancel: () => done(undefined) });
  });
}
