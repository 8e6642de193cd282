import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Figure } from "@/components/Figure";
import { QueryState } from "@/components/QueryState";
import { definitions, values } from "@/features/settings/queries";
import { asTyped, type SettingSchema } from "@/features/settings/schema";

/** The limits that matter most, in the order in which one asks for them. */
export const SHOWN = [
  "risk.risk_share", "drawdown.soft_share", "drawdown.hard_share", "drawdown.total_share", "portfolio.pair_share", "portfolio.gross_share", "portfolio.trades_maximum", "risk.cash_reserve_share",
] as const;

export interface LimitsExplainedProps {
  readonly account: string;
}

/** The limits of an account with what each means, beside the default. */
export function LimitsExplained({ account }: LimitsExplainedProps) {
  const schema = useQuery(definitions(account));
  const now = useQuery(values(account));
  return (
    <QueryState query={schema} what="the definitions">
      {(known) => (
        <QueryState query={now} what="the limits">
          {(found) => (
            <>
              <dl className="facts wide-facts explained">
                {SHOWN.map((name) => {
                  const definition = (known.properties as Readonly<Record<string, SettingSchema>>)[name];
                  if (!definition) return null;
                  const value = asTyped((found.values as Readonly<Record<string, unknown>>)[name]);
                  const usual = asTyped(definition.default);
                  const kind = definition["x-unit"] === "share" || definition["x-unit"] === "of equity" || name.endsWith("_share") ? "share" : "number";
                  return (
                    <div key={name}>
                      <dt>{definition.description}<br /><code>{name}</code></dt>
                      <dd><Figure value={value} kind={kind} /> {value === usual ? <small>default</small> : <small>default <Figure value={usual} kind={kind} /></small>}</dd>
                    </div>
                  );
                })}
              </dl>
              <p><Link to="/accounts/$account/settings" params={{ account }}>Change any of them</Link></p>
            </>
          )}
        </QueryState>
      )}
    </QueryState>
  );
}
