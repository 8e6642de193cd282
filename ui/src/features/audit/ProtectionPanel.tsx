import { useQuery } from "@tanstack/react-query";

import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";

import { protection } from "./queries";

/** Up to where the record is protected against whoever owns the database. */
export function ProtectionPanel() {
  const found = useQuery(protection);
  return (
    <QueryState query={found} what="how far the record is protected">
      {(data) => (
        <Panel title="Checkpoints and witness">
          <p className={data.fault ? "alarm" : "good"} role="status">
            {data.fault ? `▲ Not protected up to now: ${data.fault}.` : "● Protected up to now: a witness has cosigned the record."}
          </p>
          <dl className="facts wide-facts">
            <div><dt>Cosigned</dt><dd><Moment at={data.cosigned_at} unknown="never" /></dd></div>
            <div><dt>Rows it covers</dt><dd><Figure value={String(data.size)} /></dd></div>
            <div><dt>Rows after it</dt><dd><Figure value={String(data.unprotected)} /></dd></div>
            <div><dt>Witnesses known here</dt><dd>{data.witnesses === 0 ? <span className="alarm">▲ none</span> : data.witnesses}</dd></div>
            <div><dt>As of</dt><dd><Moment at={data.as_of} /></dd></div>
          </dl>
          {data.checkpoints.length > 0 ? (
            <details>
              <summary>The newest {data.checkpoints.length} checkpoints</summary>
              <ul className="states">
                {data.checkpoints.map((one) => (
                  <li key={one.size} className={one.cosigned ? "good" : "warn"}>
                    <span aria-hidden="true">{one.cosigned ? "●" : "◌"}</span> {one.size} rows, <Moment at={one.at} />{" "}
                    <small>{one.reason.replaceAll("_", " ")}; {one.cosigned ? "cosigned" : "not cosigned yet"}</small>
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </Panel>
      )}
    </QueryState>
  );
}
