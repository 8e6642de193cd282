import type { components } from "@/api/schema";
import { Moment } from "@/components/Moment";

type KillSwitch = components["schemas"]["KillSwitch"];

export interface AcknowledgementsProps {
  readonly engagement: KillSwitch;
}

/** When each account has halted; one that has not is named in red. */
export function Acknowledgements({ engagement }: AcknowledgementsProps) {
  const missing = engagement.accounts.filter((name) => !(name in engagement.acknowledged));
  return (
    <table className="table">
      <caption>
        {missing.length === 0
          ? "Every account has acknowledged."
          : `${missing.length} of ${engagement.accounts.length} accounts have not acknowledged yet.`}
      </caption>
      <thead>
        <tr>
          <th scope="col">Account</th>
          <th scope="col">Halted at</th>
        </tr>
      </thead>
      <tbody>
        {engagement.accounts.map((name) => (
          <tr key={name} className={name in engagement.acknowledged ? "" : "row-alarm"}>
            <th scope="row">{name}</th>
            <td>
              {name in engagement.acknowledged ? (
                <Moment at={engagement.acknowledged[name]} />
              ) : (
                <strong>⚠ not acknowledged{engagement.silent?.includes(name) ? ": its workflow does not answer" : ""}</strong>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
