/**
 * The idempotency key of a form: made when it opens and kept until the form is done with, over a
 * double click, a retry and a reload of the page, so that all of them are one command.
 */

const PREFIX = "aether.key.";

export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function keyOf(form: string): string {
  const known = sessionStorage.getItem(PREFIX + form);
  if (known) return known;
  const made = randomKey();
  sessionStorage.setItem(PREFIX + form, made);
  return made;
}

/** The command was answered for good: the form opens with a new key next time. */
export function forgetKey(form: string): void {
  sessionStorage.removeItem(PREFIX + form);
}
