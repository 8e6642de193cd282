/** The typed client, generated from the API's committed description. */

import createClient from "openapi-fetch";

import { noteServerTime } from "@/format/clock";

import { Problem, problemOf, unreachable } from "./problem";
import type { paths } from "./schema";

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "http://127.0.0.1",
  // The API takes nothing from a browser's session without it: no form of another page can send it.
  headers: { "Aether-Request": "page" },
  fetch: (request: Request) => globalThis.fetch(request),
});

let onUnauthorized: () => void = () => undefined;

/** Say what happens when the API no longer knows who calls. */
export function whenUnauthorized(act: () => void): void {
  onUnauthorized = act;
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/** Return what a call brought, or throw its problem. */
export async function brought<T>(call: Promise<Answer<T>>, correlation?: string): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable(correlation);
  }
  noteServerTime(answer.response.headers.get("date"));
  if (answer.response.ok) return answer.data as T;
  if (answer.response.status === 401) onUnauthorized();
  throw problemOf(answer.response.status, answer.error, correlation);
}

export { Problem };
