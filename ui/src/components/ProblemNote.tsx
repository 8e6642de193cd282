import type { Problem } from "@/api/problem";
import { nextStep } from "@/texts/problems";

export interface ProblemNoteProps {
  readonly problem: Problem;
  /** What it means for money: said with every error. */
  readonly effect: string;
  readonly onRetry?: () => void;
}

/** An error: its cause, what it means for money, what to do next, and how to find it in the log. */
export function ProblemNote({ problem, effect, onRetry }: ProblemNoteProps) {
  return (
    <div className="problem" role="alert">
      <p className="problem-cause">{problem.detail}</p>
      {problem.checks.length > 0 ? (
        <ul>
          {problem.checks.map((check) => (
            <li key={check.rule + check.code}>{check.reason}</li>
          ))}
        </ul>
      ) : null}
      <dl>
        <dt>Effect on money</dt>
        <dd>{effect}</dd>
        <dt>Next step</dt>
        <dd>{nextStep(problem)}</dd>
        <dt>Code</dt>
        <dd>
          <code>{problem.code}</code>
        </dd>
        {problem.correlation ? (
          <>
            <dt>Correlation id</dt>
            <dd>
              <code>{problem.correlation}</code>
            </dd>
          </>
        ) : null}
      </dl>
      {onRetry ? (
        <button type="button" className="button button-plain" onClick={onRetry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
