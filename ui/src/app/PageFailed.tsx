import type { ErrorComponentProps } from "@tanstack/react-router";

import { Page } from "./Page";

/** What stands in place of a page that failed to be shown; the kill switch above it works on. */
export function PageFailed({ error }: ErrorComponentProps) {
  return (
    <Page title="This page cannot be shown">
      <div className="problem" role="alert">
        <p className="problem-cause">{error instanceof Error ? error.message : String(error)}</p>
        <dl>
          <dt>Effect on money</dt>
          <dd>None: only the page has failed. What it has sent before may have been carried out: see Audit.</dd>
          <dt>Next step</dt>
          <dd>Load the page again. If the platform was updated meanwhile, that is all that is needed.</dd>
        </dl>
        <button type="button" className="button button-plain" onClick={() => globalThis.location.reload()}>
          Load again
        </button>
      </div>
    </Page>
  );
}
