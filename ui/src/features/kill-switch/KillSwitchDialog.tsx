import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { Radios } from "@/components/Choice";
import { CommandStatus } from "@/components/CommandStatus";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Guarded } from "@/session/Guarded";

import { Acknowledgements } from "./Acknowledgements";
import { killSwitches } from "./queries";

type KillSwitch = components["schemas"]["KillSwitch"];

export interface KillSwitchDialogProps {
  readonly accounts: readonly string[];
  readonly account?: string | undefined;
  readonly onClose: () => void;
}

const ALL = "all accounts";

function pairsIn(text: string): string[] {
  return text.split(",").map((one) => one.trim().toUpperCase()).filter(Boolean);
}

/** Stop in two steps: choose, then confirm. Nothing has to be typed but a reason that is there. */
export function KillSwitchDialog({ accounts, account, onClose }: KillSwitchDialogProps) {
  const [scope, setScope] = useState(account ?? ALL);
  const [pairs, setPairs] = useState("");
  const [positions, setPositions] = useState("keep");
  const [reason, setReason] = useState("stopped from the control room");
  const switches = useQuery(killSwitches);
  const chosen = scope === ALL ? [] : [scope];
  const command = useCommand<KillSwitch>({
    form: "kill-switch",
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/kill-switch", {
          params: { header: { "Idempotency-Key": key } },
          body: { reason: reason.trim(), flatten: positions === "flatten", accounts: chosen, symbols: pairsIn(pairs) },
          signal,
        }),
        key,
      ),
    isRecorded: (answer) => switches.data?.some((row) => row.number === answer.number) ?? false,
  });
  const recorded = switches.data?.find((row) => row.number === command.answer?.number) ?? command.answer;
  const options = [...(account ? [account] : []), ALL, ...accounts.filter((name) => name !== account)];
  return (
    <Dialog title="Kill switch" open danger onClose={onClose}>
      <Guarded right="kill_switch.engage">
        {command.step === "idle" ? (
          <form
            className="stack"
            onSubmit={(event) => {
              event.preventDefault();
              command.run();
            }}
          >
            <p>
              No entry leaves any more, open entries are cancelled. It stays so over restarts, until a person lifts it.
            </p>
            <Radios
              label="Which accounts"
              value={scope}
              onValue={setScope}
              options={options.map((value) => ({ value, label: value }))}
            />
            <Field label="Only these pairs, as BTC/USD, ETH/USD (empty: all)" value={pairs} onValue={setPairs} />
            <Radios
              label="Open positions"
              value={positions}
              onValue={setPositions}
              options={[
                { value: "keep", label: "Keep them, protected by their stops" },
                { value: "flatten", label: "Sell them now, at market" },
              ]}
            />
            <Field label="Reason" value={reason} onValue={setReason} required />
            <Button type="submit" kind="danger" disabled={reason.trim().length < 3}>
              {positions === "flatten" ? `Stop and sell: ${scope}` : `Stop now: ${scope}`}
            </Button>
          </form>
        ) : (
          <div className="stack">
            <CommandStatus
              command={command}
              recorded={`Kill switch ${command.answer?.number ?? ""} stands in the record.`}
              refusedEffect="Entries are not stopped by this request. Use the terminal: aether kill-switch engage"
            />
            {recorded ? <Acknowledgements engagement={recorded} /> : null}
            {command.step === "refused" ? <Button onPress={command.reset}>Begin again</Button> : null}
            {command.answer && !command.answer.recorded ? (
              <p className="error">
                The record could not be written: entries have stopped all the same, and the engagement is recorded as
                soon as that is possible.
              </p>
            ) : null}
          </div>
        )}
      </Guarded>
    </Dialog>
  );
}
