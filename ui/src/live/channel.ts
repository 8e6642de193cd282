/** What the tabs of one browser tell each other. */

export type Told =
  | { readonly kind: "signed-out" }
  | { readonly kind: "signed-in" }
  | { readonly kind: "stream"; readonly event: StreamMessage }
  | { readonly kind: "leader-hello" }
  | { readonly kind: "follower-hello" };

export interface StreamMessage {
  readonly type: string;
  readonly id: string;
  readonly data: unknown;
}

const NAME = "aether";
let channel: BroadcastChannel | undefined;
const listeners = new Set<(message: Told) => void>();

function opened(): BroadcastChannel | undefined {
  if (!channel && "BroadcastChannel" in globalThis) {
    channel = new BroadcastChannel(NAME);
    channel.onmessage = (event: MessageEvent<Told>) => {
      for (const listener of listeners) listener(event.data);
    };
  }
  return channel;
}

/** Tell every other tab. */
export function announce(message: Told): void {
  opened()?.postMessage(message);
}

/** Tell every tab, this one too. */
export function announceToAll(message: Told): void {
  announce(message);
  for (const listener of listeners) listener(message);
}

/** Hear what other tabs tell; returns how to stop. */
export function whenTold(listener: (message: Told) => void): () => void {
  opened();
  listeners.add(listener);
  return () => listeners.delete(listener);
}
