import type { Backtest } from "./queries";

export interface BacktestStateProps {
  readonly backtest: Backtest;
}

const TONE: Readonly<Record<string, string>> = { finished: "good", refused: "alarm", cancelled: "quiet", running: "warn", queued: "quiet" };

/** How far a backtest is, or how it ended and why. */
export function BacktestState({ backtest }: BacktestStateProps) {
  const { state, stage, done, planned, reason } = backtest;
  return (
    <span className="row">
      <span className={`badge badge-${TONE[state] ?? "quiet"}`}>{state}</span>
      {state === "running" ? (
        <span role="status">
          {planned > 0 ? <progress value={done} max={planned} aria-label={`${done} of ${planned} done`} /> : null} <small>{stage}{planned > 0 ? ` (${done} of ${planned})` : ""}</small>
        </span>
      ) : null}
      {state === "queued" ? <small>{stage}</small> : null}
      {reason ? <small>{reason}</small> : null}
    </span>
  );
}
