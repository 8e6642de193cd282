import { clockText, localZone, offsetText } from "@/format/time";
import { useNow } from "@/live/now";

/** The platform's time in UTC and here. */
export function Clock() {
  const now = new Date(useNow());
  const zone = localZone();
  const here = offsetText(now, zone);
  return (
    <span className="clock">
      <time dateTime={now.toISOString()}>{clockText(now, "UTC")} UTC</time>
      {here !== "UTC" ? <small> {clockText(now, zone, false)} local ({here})</small> : null}
    </span>
  );
}
