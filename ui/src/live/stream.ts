/**
 * One stream of events for all tabs of a browser: the tab that holds the lock reads it and passes
 * everything on; when it goes, another takes over from the last event that it has seen itself.
 */

import { noteServerTime } from "@/format/clock";

import { announce, type StreamMessage, whenTold } from "./channel";
import { type Heartbeat, setConnection } from "./connection";

export const ADDRESS = "/api/v1/events";
const LOCK = "aether-stream";
const KINDS = ["record", "overview", "heartbeat", "resync", "caught-up", "session-ended"] as const;
/** Two heartbeats missed and a little: from then on the data are called stale. */
export const STALE_MS = 12_000;
export const LOST_MS = 25_000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

export interface StreamListener {
  readonly onRecord: (data: RecordEvent) => void;
  readonly onOverview: (data: unknown) => void;
  readonly onResync: () => void;
  readonly onSessionEnded: () => void;
  /** The stream broke: it may be the network, or the session. */
  readonly onLost: () => void;
}

/** One change of the record: of which account, of what kind, of which thing. */
export interface RecordEvent {
  readonly account: string;
  readonly topic: string;
  readonly subject: string;
  /** When it was committed, by the record's clock. */
  readonly at?: string;
}

/** Follow the stream until told to stop. */
export function follow(listener: StreamListener): () => void {
  const stopping = new AbortController();
  let last = "";
  let heard = Date.now();
  let source: EventSource | undefined;
  let failures = 0;
  let leading = false;

  function take(message: StreamMessage): void {
    heard = Date.now();
    if (message.id) last = message.id;
    switch (message.type) {
      case "record":
        listener.onRecord(message.data as RecordEvent);
        break;
      case "overview":
        listener.onOverview(message.data);
        break;
      case "resync":
        listener.onResync();
        break;
      case "caught-up":
        setConnection("live");
        break;
      case "session-ended":
        // After a confirmation the session goes on under another cookie: that is no lost connection.
        setConnection("catching up");
        listener.onSessionEnded();
        if (leading) openAgain();
        break;
      case "heartbeat": {
        const heartbeat = message.data as Heartbeat;
        noteServerTime(heartbeat.at);
        setConnection("live", heartbeat);
        break;
      }
      case "lost":
        setConnection("lost");
        if (failures > 0 || !leading) listener.onLost();
        break;
      default:
    }
  }

  function pass(message: StreamMessage): void {
    take(message);
    announce({ kind: "stream", event: message });
  }

  function open(): void {
    if (stopping.signal.aborted) return;
    const after = last ? `?after=${encodeURIComponent(last)}` : "";
    source = new EventSource(ADDRESS + after);
    source.onopen = () => {
      failures = 0;
      heard = Date.now();
      setConnection(last ? "catching up" : "live");
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        pass({ type: kind, id: event.lastEventId, data: event.data ? JSON.parse(event.data) : null });
      });
    }
    source.onerror = () => {
      // Ours, not the browser's, own reconnection: its pauses are known and each is told apart.
      source?.close();
      pass({ type: "lost", id: "", data: null });
      if (failures > 0) listener.onLost();
      const wait = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 8000;
      failures += 1;
      setTimeout(open, wait);
    };
  }

  function openAgain(): void {
    source?.close();
    setTimeout(open, PAUSES_MS[0]);
  }

  async function lead(): Promise<void> {
    leading = true;
    open();
    await new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve()));
    source?.close();
  }

  const untold = whenTold((message) => {
    if (message.kind === "stream" && !leading) take(message.event);
  });
  const watch = setInterval(() => {
    const silence = Date.now() - heard;
    if (silence > LOST_MS) setConnection("lost");
    else if (silence > STALE_MS) setConnection("stale");
  }, 1000);
  if ("locks" in navigator) {
    navigator.locks.request(LOCK, { signal: stopping.signal }, lead).catch(() => undefined);
  } else {
    void lead();
  }
  return () => {
    stopping.abort();
    source?.close();
    clearInterval(watch);
    untold();
  };
}
