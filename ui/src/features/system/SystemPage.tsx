import { useQuery } from "@tanstack/react-query";

import { Page } from "@/app/Page";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { FreezePanel } from "@/features/freeze/FreezePanel";
import { Acknowledgements } from "@/features/kill-switch/Acknowledgements";
import { LiftKillSwitch } from "@/features/kill-switch/LiftKillSwitch";
import { killSwitches } from "@/features/kill-switch/queries";
import { controlRoom } from "@/features/overview/queries";
import { useConnection } from "@/live/connection";
import { Author } from "@/session/Author";

import { readiness } from "./queries";
import { Running } from "./Running";

/** What runs, how it answers, and in which degraded modes; kill switches and their lifting. */
export function SystemPage() {
  const room = useQuery(controlRoom);
  const ready = useQuery(readiness);
  const switches = useQuery(killSwitches);
  const connection = useConnection();
  return (
    <Page title="System">
      <QueryState query={switches} what="the kill switches">
        {(rows) => (
          <Panel title="Kill switches" stack>
            {rows.length === 0 ? <p className="panel-note">None was ever engaged.</p> : null}
            {rows.filter((row) => row.lifted_at === null).map((row) => (
              <article key={row.number} className="stack switch">
                <h3>⚠ Kill switch {row.number}{row.symbols?.length ? ` of ${row.symbols.join(", ")}` : ""}: {row.reason}</h3>
                <p>Engaged by <Author id={row.engaged_by} />, <Moment at={row.engaged_at} />; positions {row.flatten ? "are sold" : "are kept, protected"}.</p>
                <Acknowledgements engagement={row} />
                <LiftKillSwitch engagement={row} switches={rows} />
              </article>
            ))}
            {rows.some((row) => row.lifted_at !== null) ? (
              <details>
                <summary>Lifted before</summary>
                <ul>
                  {rows.filter((row) => row.lifted_at !== null).map((row) => (
                    <li key={row.number}>{row.number}: {row.reason}, lifted by <Author id={row.lifted_by} /> <Moment at={row.lifted_at} /></li>
                  ))}
                </ul>
              </details>
            ) : null}
          </Panel>
        )}
      </QueryState>
      <FreezePanel />
      <div className="columns">
        <QueryState query={room} what="the processes" asOf={(data) => data.as_of}>
          {(data) => (
            <Rows
              caption="Processes"
              rows={data.processes}
              keyOf={(row) => row.name}
              empty="None is known."
              alarm={(row) => !row.ready}
              columns={[
                { name: "Process", cell: (row) => <strong>{row.name}</strong> },
                { name: "State", cell: (row) => (row.ready ? <span className="good">● ready</span> : <strong className="alarm">▲ not ready</strong>) },
                { name: "Detail", cell: (row) => row.detail },
              ]}
            />
          )}
        </QueryState>
        <QueryState query={ready} what="the readiness">
          {(data) => (
            <section className="panel">
              <h2>Readiness: {data.status}</h2>
              <ul className="states">
                {Object.entries(data.checks).map(([name, words]) => (
                  <li key={name} className={words === "ok" ? "good" : "alarm"}>
                    <span aria-hidden="true">{words === "ok" ? "●" : "▲"}</span> {name.replaceAll("_", " ")} <small>{words}</small>
                  </li>
                ))}
                {connection.heartbeat ? (["record", "exchange", "feed"] as const).map((part) => (
                  <li key={part} className={connection.heartbeat?.[part] === "ok" ? "good" : "alarm"}>
                    <span aria-hidden="true">{connection.heartbeat?.[part] === "ok" ? "●" : "▲"}</span> heartbeat of the {part} <small>{connection.heartbeat?.[part]}</small>
                  </li>
                )) : null}
              </ul>
            </section>
          )}
        </QueryState>
      </div>
      <QueryState query={room} what="the degraded modes" asOf={(data) => data.as_of}>
        {(data) => (
          <section className="panel">
            <h2>Degraded modes</h2>
            {data.degraded_modes.length === 0 ? <p className="panel-note">None: everything runs in its full form.</p> : null}
            <ul>
              {data.degraded_modes.map((words) => (
                <li key={words}>{words}</li>
              ))}
            </ul>
          </section>
        )}
      </QueryState>
      <Running />
      <Panel title="Logs">
        <p className="panel-note">
          Each process writes one, on the machine: <code>aether logs trading</code>, <code>aether logs api</code>. An error names the correlation id by which it is found.
        </p>
      </Panel>
      <Panel title="About">
        <p className="panel-note">
          Charts are drawn by Lightweight Charts™ of TradingView (Apache License 2.0), <a href="https://www.tradingview.com/" rel="noreferrer">tradingview.com</a>. The <a href="/docs">API's description</a> asks for the token as a password.
        </p>
      </Panel>
    </Page>
  );
}
