/** The platform's clock as this browser knows it: ages are measured against it, not the browser's. */

let offset = 0;

/** Learn the platform's time from an answer's Date header or an event. */
export function noteServerTime(text: string | null | undefined): void {
  const time = text ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) return;
  const found = time - Date.now();
  // A header has whole seconds only: smaller differences are not known, so they are none.
  offset = Math.abs(found) < 2000 ? 0 : found;
}

export function serverNow(): number {
  return serverTime(Date.now());
}

/** A moment of this browser's clock by the platform's, both in milliseconds. */
export function serverTime(local: number): number {
  return local + offset;
}
