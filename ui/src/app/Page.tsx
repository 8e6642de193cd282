import { type ReactNode, useEffect } from "react";

import { mayAct, useConnection } from "@/live/connection";

export interface PageProps {
  readonly title: string;
  readonly mode?: "live" | "simulated" | undefined;
  /** The account that the page is about: named in the frame and the title. */
  readonly account?: string | undefined;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page with its mode in text, frame, title and icon. */
export function Page({ title, mode, account, actions, children }: PageProps) {
  const connection = useConnection();
  useEffect(() => {
    const where = account ? `${title} ${account}` : title;
    document.title = `${mode === "live" ? "LIVE " : mode === "simulated" ? "sim " : ""}${where} – Aether`;
    document.documentElement.dataset.mode = mode ?? "none";
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = mode === "live" ? "/favicon-live.svg" : "/favicon-simulated.svg";
  }, [title, mode, account]);
  const band = mode === "live"
    ? `LIVE: real money${account ? ` of ${account}` : ""}`
    : mode === "simulated" ? `Simulated${account ? `: ${account}` : ""}` : undefined;
  return (
    <main id="main" tabIndex={-1}>
      {band ? <p className={`mode-band mode-band-${mode}`}>{band}</p> : null}
      {/* Without live data nothing on the page may be acted on: the browser itself disables it all. */}
      <fieldset className="page-body" role="presentation" disabled={!mayAct(connection.state)}>
        <header className="page-head">
          <h1>{title}</h1>
          {actions}
        </header>
        {children}
      </fieldset>
    </main>
  );
}
