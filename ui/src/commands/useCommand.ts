import { useCallback, useEffect, useRef, useState } from "react";

import { Problem } from "@/api/problem";

import { forgetKey, keyOf } from "./key";

/**
 * How far a command is. Nothing is shown as done before the record shows it:
 * `sending` until answered, `asking` when the answer stays out, `accepted` until the record shows
 * it, `recorded` when it does.
 */
export type CommandStep = "idle" | "sending" | "asking" | "accepted" | "recorded" | "refused";

export const UNKNOWN_AFTER_MS = 5000;
const PAUSES_MS = [1000, 2000, 4000, 8000];

export interface CommandState<Answer> {
  readonly step: CommandStep;
  readonly key: string;
  readonly answer?: Answer | undefined;
  readonly problem?: Problem | undefined;
  readonly run: () => void;
  /** Begin anew, with a new key. */
  readonly reset: () => void;
}

export interface CommandOptions<Answer> {
  /** Name of the form, with what it is about: forms of one name share a key. */
  readonly form: string;
  readonly send: (key: string, signal: AbortSignal) => Promise<Answer>;
  /** Whether the record shows what the command has done. */
  readonly isRecorded: (answer: Answer) => boolean;
}

/** Carry one command out exactly once, whatever happens to answers and pages on the way. */
export function useCommand<Answer>({ form, send, isRecorded }: CommandOptions<Answer>): CommandState<Answer> {
  const [key, setKey] = useState(() => keyOf(form));
  const [step, setStep] = useState<Exclude<CommandStep, "recorded">>("idle");
  const [answer, setAnswer] = useState<Answer>();
  const [problem, setProblem] = useState<Problem>();
  const running = useRef(false);
  const stopped = useRef(new AbortController());
  const latest = useRef(send);
  latest.current = send;

  useEffect(() => {
    stopped.current = new AbortController();
    const mine = stopped.current;
    return () => mine.abort();
  }, []);

  const run = useCallback(() => {
    if (running.current) return;
    running.current = true;
    setStep("sending");
    setProblem(undefined);
    const signal = stopped.current.signal;
    const late = setTimeout(() => setStep((now) => (now === "sending" ? "asking" : now)), UNKNOWN_AFTER_MS);
    void untilAnswered(() => latest.current(key, signal), signal, () => setStep("asking")).then(
      (found) => {
        clearTimeout(late);
        running.current = false;
        setAnswer(() => found);
        setStep("accepted");
      },
      (error: unknown) => {
        clearTimeout(late);
        running.current = false;
        if (signal.aborted) return;
        setProblem(error instanceof Problem ? error : new Problem(0, "unexpected", String(error), [], key));
        setStep("refused");
      },
    );
  }, [key]);

  const reset = useCallback(() => {
    forgetKey(form);
    setKey(keyOf(form));
    setStep("idle");
    setAnswer(undefined);
    setProblem(undefined);
  }, [form]);

  const recorded = step === "accepted" && answer !== undefined && isRecorded(answer);
  useEffect(() => {
    if (recorded) forgetKey(form);
  }, [recorded, form]);
  return { step: recorded ? "recorded" : step, key, answer, problem, run, reset };
}

/** Send until there is an answer; the key makes every repeat the same command. */
async function untilAnswered<Answer>(
  send: () => Promise<Answer>, signal: AbortSignal, onUnknown: () => void,
): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (signal.aborted || !(error instanceof Problem) || !error.outcomeUnknown) throw error;
      if (error.code === "overloaded") throw error;
      onUnknown();
    }
    await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 8000, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("left"));
    });
  });
}
