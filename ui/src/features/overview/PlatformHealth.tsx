import { Link } from "@tanstack/react-router";

import type { components } from "@/api/schema";

export interface PlatformHealthProps {
  readonly processes: readonly components["schemas"]["Process"][];
  readonly degradedModes: readonly string[];
  readonly followed: boolean;
}

/** Whether the exchange, the feed and the processes answer, and what runs in a degraded mode. */
export function PlatformHealth({ processes, degradedModes, followed }: PlatformHealthProps) {
  return (
    <section className="panel">
      <h2>Platform</h2>
      <ul className="states">
        {processes.map((process) => (
          <li key={process.name} className={process.ready ? "good" : "alarm"}>
            <span aria-hidden="true">{process.ready ? "●" : "▲"}</span> {process.name}{" "}
            <small>{process.ready ? "ready" : `not ready: ${process.detail}`}</small>
          </li>
        ))}
        <li className={followed ? "good" : "alarm"}>
          <span aria-hidden="true">{followed ? "●" : "▲"}</span> market feed <small>{followed ? "followed" : "nobody follows it"}</small>
        </li>
      </ul>
      {degradedModes.length > 0 ? (
        <details>
          <summary>{degradedModes.length} degraded {degradedModes.length === 1 ? "mode" : "modes"}</summary>
          <ul>
            {degradedModes.map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
          <Link to="/system">System</Link>
        </details>
      ) : null}
    </section>
  );
}
