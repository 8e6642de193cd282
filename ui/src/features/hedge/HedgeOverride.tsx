import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { compare, divide, parse, toText, typedDecimal } from "@/format/decimal";
import { Guarded } from "@/session/Guarded";

type Hedge = components["schemas"]["Hedge"];

export interface HedgeOverrideProps {
  readonly account: string;
  readonly mode: string;
  readonly hedge: Hedge;
}

const HUNDRED = { units: 100n, scale: 0 };

/** Set the share in USD by hand, with a reason and an expiry, or give it back to the formula. */
export function HedgeOverride({ account, mode, hedge }: HedgeOverrideProps) {
  const [percent, setPercent] = useState("");
  const [hours, setHours] = useState("12");
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const share = typedDecimal(percent);
  const valid = share !== undefined && compare(share, HUNDRED) <= 0;
  const wholeHours = /^\d{1,4}$/.test(hours.trim()) ? Number(hours) : undefined;
  const asShare = valid ? toText(divide(share, HUNDRED, 9) ?? share) : "";
  const override = useCommand({
    form: `hedge-override/${account}`,
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/accounts/{account}/hedge/override", {
          params: { path: { account }, header: { "Idempotency-Key": key } },
          body: { share: asShare, reason: reason.trim(), expires_after_seconds: wholeHours ? wholeHours * 3600 : null },
          signal,
        }),
        key,
      ),
    isRecorded: () => {
      const set = hedge.latest?.override_share;
      const wanted = parse(asShare);
      const found = set ? parse(set) : undefined;
      return wanted !== undefined && found !== undefined && compare(wanted, found) === 0;
    },
  });
  const clear = useCommand({
    form: `hedge-clear/${account}`,
    send: (key, signal) =>
      brought(
        client.DELETE("/api/v1/accounts/{account}/hedge/override", {
          params: { path: { account }, header: { "Idempotency-Key": key } },
          signal,
        }),
        key,
      ),
    isRecorded: () => hedge.state !== "override",
  });
  const live = mode === "live";
  return (
    <section className="panel stack">
      <h2>By hand</h2>
      <Guarded right="hedge.override" account={account}>
        <CommandForm
          command={override}
          action={`${live ? "LIVE: hold" : "Hold"} ${valid ? `${percent.trim()} %` : "…"} of ${account} in USD`}
          recorded="The override stands in the record."
          ready={valid && reason.trim().length >= 3 && (hours.trim() === "" || wholeHours !== undefined) && (!live || isConfirmed(account, typed))}
          danger={live}
        >
          <Field label="Share in USD" unit="%" inputMode="decimal" value={percent} onValue={setPercent} error={percent && !valid ? "A number from 0 to 100, with a decimal point" : undefined} required />
          <Field label="Expires after" unit="hours of market time; empty: never" inputMode="numeric" value={hours} onValue={setHours} error={hours.trim() !== "" && wholeHours === undefined ? "Whole hours" : undefined} />
          <Field label="Reason" value={reason} onValue={setReason} required />
          {live ? <TypedConfirmation word={account} why={`This sells or buys with the real money of ${account}.`} value={typed} onValue={setTyped} /> : null}
        </CommandForm>
        {hedge.state === "override" || clear.step !== "idle" ? (
          <CommandForm command={clear} action={`Give the hedge of ${account} back to the formula`} recorded="The formula decides again." ready />
        ) : null}
      </Guarded>
    </section>
  );
}
