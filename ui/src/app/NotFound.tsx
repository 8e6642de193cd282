import { Link } from "@tanstack/react-router";

import { Page } from "./Page";

export function NotFound() {
  return (
    <Page title="No such page">
      <p>
        There is no page at this address. <Link to="/">Overview</Link>
      </p>
    </Page>
  );
}
