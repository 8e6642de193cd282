/** The typed client, generated from the API's committed description. */

import createClient from "openapi-fetch";

import { noteServerTime } from "@/format/clock";
import { stepUpFor } from "@/session/stepUp";

import { Problem, problemOf, unreachable } from "./problem";
import type { paths } from "./schema";

export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "http://127.0.0.1",
  fetch: sent,
});

/** Send a request as a page of our own, confirmed by the second factor where that is asked for. */
async function sent(request: Request): Promise<Response> {
  if (request.method === "GET") return globalThis.fetch(request);
  request.headers.set("Aether-Request", "1");
  const again = request.clone();
  const answer = await globalThis.fetch(request);
  if (answer.status !== 403) return answer;
  const problem = (await answer.clone().json().catch(() => ({}))) as { type?: string; operation?: string };
  if (!problem.type?.endsWith("step-up-required") || !problem.operation) return answer;
  const text = await again.clone().text();
  const body = text ? (JSON.parse(text) as Record<string, unknown>) : null;
  const reference = await stepUpFor(problem.operation, new URL(again.url).pathname, body);
  if (reference === undefined) return answer;
  again.headers.set("Aether-Step-Up", reference);
  return globalThis.fetch(again);
}

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
