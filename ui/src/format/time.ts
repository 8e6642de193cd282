/**
 * Times for people: UTC, local, and the account's own day; market time is marked as such.
 *
 * Zones and daylight saving come from the browser's own database through Intl; no offset is
 * calculated by hand but here, where it is tested.
 */

export type Zone = string;

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const formatters = new Map<Zone, Intl.DateTimeFormat>();

function formatterOf(zone: Zone): Intl.DateTimeFormat {
  let found = formatters.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formatters.set(zone, found);
  }
  return found;
}

export function partsIn(moment: Date, zone: Zone): Parts {
  const found: Record<string, number> = {};
  for (const part of formatterOf(zone).formatToParts(moment)) {
    if (part.type !== "literal") found[part.type] = Number(part.value);
  }
  return found as unknown as Parts;
}

/** Minutes that a zone is ahead of UTC at a moment. */
export function offsetMinutes(moment: Date, zone: Zone): number {
  const p = partsIn(moment, zone);
  const wall = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  return Math.round((wall - Math.floor(moment.getTime() / 1000) * 1000) / 60_000);
}

const two = (value: number): string => String(value).padStart(2, "0");

export function offsetText(moment: Date, zone: Zone): string {
  const minutes = offsetMinutes(moment, zone);
  if (minutes === 0) return "UTC";
  const magnitude = Math.abs(minutes);
  return `UTC${minutes < 0 ? "\u2212" : "+"}${two(Math.floor(magnitude / 60))}:${two(magnitude % 60)}`;
}

export function dateText(moment: Date, zone: Zone): string {
  const p = partsIn(moment, zone);
  return `${p.year}-${two(p.month)}-${two(p.day)}`;
}

export function clockText(moment: Date, zone: Zone, seconds = true): string {
  const p = partsIn(moment, zone);
  return `${two(p.hour)}:${two(p.minute)}${seconds ? `:${two(p.second)}` : ""}`;
}

/** Date, time and offset: nobody has to guess the zone. */
export function momentText(moment: Date, zone: Zone): string {
  return `${dateText(moment, zone)} ${clockText(moment, zone)} ${offsetText(moment, zone)}`;
}

export function localZone(): Zone {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** How long ago in words short enough for a cell: 4 s, 3 min, 2 h, 5 d. */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/**
 * The moment at which the account's running day began.
 *
 * @param startsAt local time HH:MM of the boundary. On a day whose clock skips it, the day begins
 * at the first moment after the gap; where the clock shows it twice, at the first of the two.
 */
export function dayBeginning(now: Date, zone: Zone, startsAt: string): Date {
  const [hour = 0, minute = 0] = startsAt.split(":").map(Number);
  const p = partsIn(now, zone);
  for (const back of [0, 1]) {
    const boundary = momentOfWall(p.year, p.month, p.day - back, hour, minute, zone);
    if (boundary.getTime() <= now.getTime()) return boundary;
  }
  return momentOfWall(p.year, p.month, p.day - 2, hour, minute, zone);
}

function momentOfWall(
  year: number, month: number, day: number, hour: number, minute: number, zone: Zone,
): Date {
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  const offsets = [-1, 1].map((side) => offsetMinutes(new Date(wall + side * 86_400_000), zone));
  const candidates = offsets.map((offset) => new Date(wall - offset * 60_000));
  const exact = candidates.filter((candidate) => {
    return candidate.getTime() + offsetMinutes(candidate, zone) * 60_000 === wall;
  });
  const found = exact.sort((a, b) => a.getTime() - b.getTime())[0];
  if (found) return found;
  // In the gap: the transition itself lies between the two candidates.
  let [low = wall, high = wall] = candidates.map((c) => c.getTime()).sort((a, b) => a - b);
  const before = offsetMinutes(new Date(low), zone);
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (offsetMinutes(new Date(middle), zone) === before) low = middle;
    else high = middle;
  }
  return new Date(high);
}
