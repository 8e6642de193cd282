import { localZone, momentText } from "@/format/time";

export interface MomentProps {
  readonly at: string | null | undefined;
  /** Market time: the exchange's, which in a replay is the recording's. */
  readonly market?: boolean;
  readonly unknown?: string;
}

/** A time in UTC, with the local one beside it where that differs. */
export function Moment({ at, market = false, unknown = "not yet" }: MomentProps) {
  if (!at) return <span className="figure-unknown">– <small className="reason">{unknown}</small></span>;
  const moment = new Date(at);
  const utc = momentText(moment, "UTC");
  const local = momentText(moment, localZone());
  return (
    <span className="moment">
      <time dateTime={at}>{utc}</time>
      {market ? <abbr title="market time: the exchange's clock">MT</abbr> : null}
      {local !== utc && !market ? <small className="local">{local} local</small> : null}
    </span>
  );
}
