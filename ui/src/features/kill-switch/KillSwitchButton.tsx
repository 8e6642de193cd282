import { useState } from "react";

import { KillSwitchDialog } from "./KillSwitchDialog";

export interface KillSwitchButtonProps {
  readonly accounts: readonly string[];
  /** The account of the page, offered beside all. */
  readonly account?: string | undefined;
}

/** The way to stop, on every page; it works while the stream of events is lost. */
export function KillSwitchButton({ accounts, account }: KillSwitchButtonProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button button-danger kill-switch" onClick={() => setOpen(true)}>
        Kill switch
      </button>
      {open ? <KillSwitchDialog accounts={accounts} account={account} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
