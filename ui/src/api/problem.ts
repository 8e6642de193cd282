/** A request that was not fulfilled, as the API says it (RFC 9457). */

export interface ProblemCheck {
  readonly rule: string;
  readonly code: string;
  readonly reason: string;
  readonly figure?: string | null;
  readonly limit?: string | null;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly checks: readonly ProblemCheck[] = [],
    /** The key of the command: by it the log and the audit find the same request. */
    readonly correlation: string | undefined = undefined,
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }

  /** Whether the command may have been carried out although nothing was heard of it. */
  get outcomeUnknown(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 504 || this.status === 502;
  }
}

export function problemOf(status: number, body: unknown, correlation?: string): Problem {
  const found = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  const type = typeof found.type === "string" ? found.type : "";
  const code = type.split(":").pop() || `http-${status}`;
  const detail = typeof found.detail === "string" ? found.detail : `The API answered with status ${status}.`;
  const checks = Array.isArray(found.checks) ? (found.checks as ProblemCheck[]) : [];
  return new Problem(status, code, detail, checks, correlation, found);
}

export function unreachable(correlation?: string): Problem {
  return new Problem(0, "unreachable", "The platform does not answer.", [], correlation);
}
