import { Link } from "@tanstack/react-router";

import { useSession } from "./session";

/** Says to whom no recovery code is left, as after a restore, that new ones are to be made. */
export function CodesNeeded() {
  const { person } = useSession();
  if (!person.needs_recovery_codes) return null;
  return (
    <p role="status">
      ⚠ <Link to="/people">You have no recovery codes left: make new ones</Link>
    </p>
  );
}
