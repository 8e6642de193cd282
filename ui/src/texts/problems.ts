/** What to do next about each kind of problem. */

import type { Problem } from "@/api/problem";

const NEXT: Readonly<Record<string, string>> = {
  unreachable: "Check the platform's machine (aether status). This page asks again by itself.",
  unauthorized: "Sign in again: what is typed stays.",
  "token-expired": "Have the token renewed on the platform's machine.",
  "idempotency-key-reused": "Open the form anew: this one was sent before with other values.",
  "outdated-change": "Look at what has changed since, then decide again.",
  "change-frozen": "Changes are frozen. Wait, end the freeze, or break the glass from the terminal with a reason.",
  "second-person-needed": "Ask another person: who requested it cannot approve it.",
  "kill-switch-engaged": "Lift the kill switch first, if that is right.",
  "account-halted": "Resume the account first, if that is right.",
  "price-moved": "Look at the present price and ask for a new preview.",
  "preview-expired": "Look at what has changed, then confirm the new preview.",
  "database-unavailable": "Nothing is lost. The same command is repeated under the same key.",
  "workflow-engine-unavailable": "Nothing is lost. The same command is repeated under the same key.",
  overloaded: "Wait a moment: positions are being protected first.",
};

export function nextStep(problem: Problem): string {
  const known = NEXT[problem.code];
  if (known) return known;
  if (problem.status === 422) return "Mend the values that are named and send it again.";
  if (problem.status === 403) return "Ask somebody who may do this.";
  if (problem.status === 404) return "Go back and choose what exists.";
  if (problem.status === 409) return "Look at the present state, then decide again.";
  if (problem.outcomeUnknown) return "The outcome is not known. The same command is asked about again.";
  return "Look it up in the log by the correlation id.";
}
