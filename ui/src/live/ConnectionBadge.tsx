import { ageText } from "@/format/time";

import { type ConnectionState, useConnection } from "./connection";
import { useNow } from "./now";

const LOOKS: Readonly<Record<ConnectionState, { readonly glyph: string; readonly tone: string; readonly words: string }>> = {
  connecting: { glyph: "◌", tone: "warn", words: "Connecting" },
  live: { glyph: "●", tone: "good", words: "Live" },
  "catching up": { glyph: "◐", tone: "warn", words: "Catching up" },
  stale: { glyph: "▲", tone: "warn", words: "Stale" },
  lost: { glyph: "■", tone: "alarm", words: "Lost" },
};

/** How the live data come; the parts behind the stream apart, where one does not answer. */
export function ConnectionBadge() {
  const connection = useConnection();
  const now = useNow(connection.state !== "live");
  const look = LOOKS[connection.state];
  const parts = connection.heartbeat
    ? (["record", "exchange", "feed"] as const).filter((part) => connection.heartbeat?.[part] !== "ok")
    : [];
  return (
    <span className="connection" role="status">
      <span className={`badge badge-${look.tone}`}>
        <span aria-hidden="true">{look.glyph}</span> {look.words}
        {connection.state === "live" ? "" : ` ${ageText(now - connection.since)}`}
      </span>
      {connection.state === "live"
        ? parts.map((part) => (
            <span key={part} className="badge badge-alarm">
              <span aria-hidden="true">▲</span> {part}: {connection.heartbeat?.[part]}
            </span>
          ))
        : null}
      {connection.state === "lost" ? <small className="lost-words">only the kill switch and signing out work</small> : null}
    </span>
  );
}
