/** How the live data come, as one state that every page can see. */

import { useSyncExternalStore } from "react";

export type ConnectionState = "connecting" | "live" | "catching up" | "stale" | "lost";

/** Whether one part behind the stream answers, as the platform's own process sees it. */
export interface Heartbeat {
  readonly at: string;
  readonly record: string;
  readonly exchange: string;
  readonly feed: string;
}

export interface Connection {
  readonly state: ConnectionState;
  readonly since: number;
  readonly heartbeat?: Heartbeat | undefined;
  /** When the stream last said that nothing is missed, by this browser's clock; undefined: never. */
  readonly liveAt?: number | undefined;
}

let liveAt: number | undefined;
let current: Connection = { state: "connecting", since: Date.now() };
const listeners = new Set<() => void>();

export function setConnection(state: ConnectionState, heartbeat?: Heartbeat): void {
  if (state === "live") liveAt = Date.now();
  if (state === current.state && (heartbeat === undefined || heartbeat === current.heartbeat)) return;
  const since = state === current.state ? current.since : Date.now();
  current = { state, since, heartbeat: heartbeat ?? current.heartbeat, liveAt };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => current);
}

/** Whether commands may be given: not while what is on the page may be long past. */
export function mayAct(state: ConnectionState): boolean {
  return state !== "lost" && state !== "connecting";
}
