import { clockText, dateText, localZone, momentText, offsetText } from "@/format/time";

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
  return (
    <span className="moment">
      <time dateTime={at}>{momentText(moment, "UTC")}</time>
      {market ? <abbr title="market time: the exchange's clock">MT</abbr> : <Local moment={moment} />}
    </span>
  );
}

/** The clock here; the date too where it is another day than in UTC. */
function Local({ moment }: { readonly moment: Date }) {
  const zone = localZone();
  if (offsetText(moment, zone) === "UTC") return null;
  const date = dateText(moment, zone);
  return <small className="local">{date === dateText(moment, "UTC") ? "" : `${date} `}{clockText(moment, zone)} local</small>;
}
