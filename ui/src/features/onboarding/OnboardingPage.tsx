import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { Button } from "@/components/Button";
import { QueryState } from "@/components/QueryState";
import { StateBadge } from "@/components/StateBadge";
import { trades } from "@/features/account/queries";
import { controlRoom } from "@/features/overview/queries";
import { people } from "@/features/people/queries";
import { useSession } from "@/session/session";

import { LimitsExplained } from "./LimitsExplained";
import { limitsSeen, noteLimitsSeen, type SetUpStep, stepsOf } from "./steps";

type ControlRoom = components["schemas"]["ControlRoom"];

/** From an empty installation to the first simulated trade: left at any time, and resumed. */
export function OnboardingPage() {
  const room = useQuery(controlRoom);
  return (
    <Page title="Set-up">
      <QueryState query={room} what="what is set up">{(data) => <Steps room={data} />}</QueryState>
    </Page>
  );
}

function Steps({ room }: { readonly room: ControlRoom }) {
  const { person } = useSession();
  const [seen, setSeen] = useState(limitsSeen);
  const all = useQuery({ ...people, retry: false });
  const traded = useQueries({ queries: room.accounts.map((one) => trades(one.account)) });
  const directors = all.data?.filter((one) => one.disabled_at === null && one.factors > 0 && one.grants.some((grant) => grant.role === "director")).length;
  const accounts = room.accounts.map((one, place) => ({ account: one.account, state: one.state, trades: traded[place]?.data?.length ?? 0 }));
  const steps = stepsOf({ directors, accounts, limitsSeen: seen });
  const next = steps.find((one) => one.done === false);
  const content: Readonly<Record<SetUpStep["code"], ReactNode>> = {
    director: <p>You are signed in as {person.display_name}, with a second factor. <Link to="/people">Add another factor</Link>, so that a lost phone locks nobody out.</p>,
    second: (
      <p>
        Going live, raising limits and new keys take two people. {directors === undefined ? "Your roles do not show who there is." : `${directors} ${directors === 1 ? "director has" : "directors have"} a second factor.`}{" "}
        <Link to="/people">Invite the other director</Link>: the link works once and sets up password and factor.
      </p>
    ),
    accounts: (
      <>
        <p>Each account trades by itself, with its own key, limits and hedge. They begin in simulation, with money that is not real.</p>
        <ul className="states">
          {room.accounts.map((one) => (
            <li key={one.account}>
              <Link to="/accounts/$account" params={{ account: one.account }}>{one.account}</Link> <StateBadge state={one.state} /> <small>{one.mode}{one.why ? `: ${one.why}` : ""}</small>
            </li>
          ))}
        </ul>
        {room.accounts.length === 0 ? <p role="alert">No account is set up. Start with <code>AETHER_ACCOUNTS=3</code>: one for the company, one for each director.</p> : null}
      </>
    ),
    limits: (
      <>
        <p>These keep losses small. The defaults are cautious; what lets more be lost takes another person&apos;s approval.</p>
        {room.accounts.map((one) => (
          <details key={one.account} open={one.account === accounts.find((found) => !seen.includes(found.account))?.account}>
            <summary>{one.account} {seen.includes(one.account) ? <span className="good">● looked through</span> : null}</summary>
            <LimitsExplained account={one.account} />
            {seen.includes(one.account) ? null : <Button kind="primary" onPress={() => setSeen(noteLimitsSeen(one.account))}>These limits suit {one.account}</Button>}
          </details>
        ))}
      </>
    ),
    simulation: <FirstTrade accounts={accounts} market={room.market?.source ?? "no market"} />,
    keys: <KeysStep accounts={room.accounts.map((one) => one.account)} />,
  };
  return (
    <>
      <p className="panel-note">{next ? `Next: ${next.title}. You may leave at any time: what is done stays done.` : "Everything that simulation needs is set up."}</p>
      <ol className="set-up">
        {steps.map((step) => (
          <li key={step.code} className="panel" aria-current={step === next ? "step" : undefined}>
            <h2>
              <span className={step.done ? "good" : step === next ? "warn" : undefined} aria-hidden="true">{step.done ? "●" : "○"}</span> {step.title}{" "}
              <small>{step.done ? "done" : step.done === undefined ? "when you want to" : "open"}</small>
            </h2>
            {step.done && step !== next && step.code !== "simulation" ? <details><summary>Show</summary>{content[step.code]}</details> : content[step.code]}
          </li>
        ))}
      </ol>
    </>
  );
}

interface FirstTradeProps {
  readonly accounts: readonly { readonly account: string; readonly trades: number }[];
  readonly market: string;
}

function FirstTrade({ accounts, market }: FirstTradeProps) {
  const first = accounts.find((one) => one.trades > 0);
  if (first) return <p>{first.account} has traded: <Link to="/accounts/$account" params={{ account: first.account }}>follow its trades</Link>.</p>;
  return <p role="status">The market is {market}. Accounts trade by themselves when a strategy has an idea; on the generated market within a minute. This page shows it when it happens.</p>;
}

function KeysStep({ accounts }: { readonly accounts: readonly string[] }) {
  return (
    <p>
      Real money takes a key of Kraken for each account, one that may trade but never withdraw, and two people. Upload and check it:{" "}
      {accounts.map((name, place) => (
        <span key={name}>{place > 0 ? ", " : ""}<Link to="/accounts/$account/keys" params={{ account: name }}>key of {name}</Link></span>
      ))}
      ; then ask for going live on the account&apos;s page Mode.
    </p>
  );
}
