import type { ReactNode } from "react";

import type { CommandState } from "@/commands/useCommand";

import { Button } from "./Button";
import { CommandStatus } from "./CommandStatus";

export interface CommandFormProps {
  readonly command: CommandState<unknown>;
  /** Words of the button: what is done, to which account, with which amount. */
  readonly action: string;
  readonly recorded: string;
  readonly ready: boolean;
  readonly danger?: boolean;
  readonly children?: ReactNode;
  readonly refusedEffect?: string;
}

/** A form that gives one command: it cannot be given twice, and says how far it is. */
export function CommandForm({ command, action, recorded, ready, danger = false, children, refusedEffect }: CommandFormProps) {
  const under = command.step === "sending" || command.step === "asking" || command.step === "accepted";
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !under && command.step !== "recorded") command.run();
      }}
    >
      <fieldset className="page-body stack" role="presentation" disabled={under || command.step === "recorded"}>
        {children}
      </fieldset>
      <CommandStatus command={command} recorded={recorded} {...(refusedEffect ? { refusedEffect } : {})} />
      <div className="row">
        {command.step === "recorded" ? (
          <Button onPress={command.reset}>Another one</Button>
        ) : (
          <Button type="submit" kind={danger ? "danger" : "primary"} busy={under} disabled={!ready}>
            {action}
          </Button>
        )}
        {command.step === "refused" ? <Button kind="quiet" onPress={command.reset}>Begin again with a new key</Button> : null}
      </div>
    </form>
  );
}
