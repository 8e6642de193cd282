import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";

import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { AccountFrame } from "@/features/account/AccountFrame";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { KeyActions } from "./KeyActions";
import { keysOf } from "./queries";
import { type KeyView, UploadKey } from "./UploadKey";

/** The exchange keys of an account: uploaded, validated, rotated, removed; never shown. */
export function KeysPage() {
  const { account } = useParams({ from: "/accounts/$account/keys" });
  return (
    <AccountFrame account={account} title={`Keys of ${account}`}>
      {() => <Keys account={account} />}
    </AccountFrame>
  );
}

export function Keys({ account }: { readonly account: string }) {
  const found = useQuery(keysOf(account));
  return (
    <>
      <QueryState query={found} what="the keys">
        {(rows) => (
          <Rows
            caption="Exchange keys"
            rows={rows}
            keyOf={(row) => `${row.mode}/${row.number}`}
            empty="No key was uploaded yet."
            columns={[
              { name: "Key", cell: (row) => <>…{row.ending} <small>{row.mode}</small></> },
              { name: "State", cell: (row) => stateOf(row) },
              { name: "Age", cell: (row) => ageOf(row) },
              { name: "Last validation", cell: (row) => <>{validationOf(row)} <Moment at={row.validated_at} /></> },
              { name: "Stored", cell: (row) => <><Author id={row.stored_by} /> <Moment at={row.stored_at} /></> },
              { name: "Change", cell: (row) => (row.state === "in_use" ? <KeyActions row={row} /> : null) },
            ]}
          />
        )}
      </QueryState>
      <section className="panel stack">
        <h2>Upload</h2>
        <Guarded right="key.manage" account={account}>
          <UploadKey account={account} known={found.data ?? []} />
        </Guarded>
      </section>
    </>
  );
}

function stateOf(row: KeyView) {
  if (row.state !== "in_use") return row.state;
  if (row.trading_since === null) return "stored, not traded with yet";
  return <>trades since <Moment at={row.trading_since} /></>;
}

function ageOf(row: KeyView) {
  const days = `${row.age_days} ${row.age_days === 1 ? "day" : "days"}`;
  return row.due ? <span className="warn">⚠ {days}: rotate it</span> : days;
}

function validationOf(row: KeyView) {
  if (row.validation === "ok") return <span className="good">fit</span>;
  return <span className="alarm">▲ {row.validation.replaceAll("-", " ")}</span>;
}
