import { Link } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { ModeBadge } from "@/components/ModeBadge";
import { Aging } from "@/components/Aging";
import { Figure } from "@/components/Figure";
import { Meter } from "@/components/Meter";
import { StateBadge } from "@/components/StateBadge";
import { useNow } from "@/live/now";
import { ageText, clockText, dateText, dayBeginning, offsetText } from "@/format/time";

type AccountFigures = components["schemas"]["AccountFigures"];

export interface AccountCardProps {
  readonly account: AccountFigures;
  readonly asOf: string;
  readonly budgetSeconds: number;
  /** Why figures that rest on prices cannot be believed, where that is so. */
  readonly pricesUnknown?: string | null | undefined;
}

/** One account at a glance. */
export function AccountCard({ account, asOf, budgetSeconds, pricesUnknown }: AccountCardProps) {
  const day = dayBeginning(new Date(asOf), account.day_zone, account.day_starts_at);
  return (
    <Aging asOf={asOf} budgetSeconds={budgetSeconds}>
      <article className={`card card-${account.mode}`} aria-labelledby={`account-${account.account}`}>
        <header className="card-head">
          <h2 id={`account-${account.account}`}>
            <Link to="/accounts/$account" params={{ account: account.account }}>
              {account.account}
            </Link>
          </h2>
          <ModeBadge mode={account.mode} />
          <StateBadge state={account.state} />
        </header>
        {account.why ? <p className="card-why">{account.why}</p> : null}
        <p className="card-value">
          <span className="sr">Value </span>
          <Figure value={account.equity} kind="money" unit="USD" unknown={account.unknown} stale={pricesUnknown} />
        </p>
        {account.not_counted.length > 0 ? <p className="card-note">without {account.not_counted.join(", ")}: no price here</p> : null}
        <p className="card-day">
          <Figure value={account.day_share} kind="share" signed unknown={account.unknown ?? "the day has no baseline yet"} stale={pricesUnknown} />{" "}
          <small>
            since {dateText(day, account.day_zone)} {clockText(day, account.day_zone, false)} {offsetText(day, account.day_zone)}
          </small>
        </p>
        <Meter label="Day's drawdown" value={account.day.value} limit={account.day.limit} unknown={account.day.unknown} stale={pricesUnknown} />
        <Meter label="Total drawdown" value={account.total.value} limit={account.total.limit} unknown={account.total.unknown} stale={pricesUnknown} />
        <Meter label="Exposure" value={account.exposure.value} limit={account.exposure.limit} unknown={account.exposure.unknown} stale={pricesUnknown} />
        <dl className="facts">
          <div>
            <dt>Open trades</dt>
            <dd>
              <Figure value={String(account.open_trades)} /> of <Figure value={String(account.trades_maximum)} />
            </dd>
          </div>
          <div>
            <dt>Cash</dt>
            <dd>
              <Figure value={account.cash} kind="money" unit="USD" />
            </dd>
          </div>
          <div>
            <dt>Hedge</dt>
            <dd>
              {account.hedge.ratio === null ? (
                "off"
              ) : (
                <>
                  <Figure value={account.hedge.ratio} kind="share" />
                  {account.hedge.target === null ? " in USD, off" : null}
                  {account.hedge.target !== null ? (
                    <>
                      {" of "}
                      <Figure value={account.hedge.target} kind="share" /> {account.hedge.state === "override" ? "by hand" : "target"}
                    </>
                  ) : null}
                </>
              )}
            </dd>
          </div>
          <div>
            <dt>Unprotected</dt>
            <dd>
              <Unprotected count={account.unprotected} since={account.unprotected_since} />
            </dd>
          </div>
        </dl>
      </article>
    </Aging>
  );
}

function Unprotected({ count, since }: { readonly count: number; readonly since: string | null }) {
  const now = useNow(since !== null);
  if (count === 0) return <span className="good">none</span>;
  return (
    <strong className="alarm">
      ⚠ {count} {count === 1 ? "trade" : "trades"}
      {since ? `, for ${ageText(now - new Date(since).getTime())}` : ""}
    </strong>
  );
}
