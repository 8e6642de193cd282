import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { Button } from "@/components/Button";
import { KillSwitchButton } from "@/features/kill-switch/KillSwitchButton";
import { controlRoom } from "@/features/overview/queries";
import { ConnectionBadge } from "@/live/ConnectionBadge";
import { CodesNeeded } from "@/session/CodesNeeded";
import { useSession } from "@/session/session";

import { Clock } from "./Clock";
import { PAGES } from "./pages";
import { setPresenter, usePresenter } from "./presenter";
import { nextTheme, useTheme } from "./theme";

/** What surrounds every page: where one can go, how the data come, and how to stop everything. */
export function Shell() {
  const { person, signOut } = useSession();
  const room = useQuery(controlRoom);
  const presenting = usePresenter();
  const [theme, setTheme] = useTheme();
  const [menuOpen, setMenuOpen] = useState(false);
  const { account } = useParams({ strict: false });
  const accounts = room.data?.accounts.map((one) => one.account) ?? [];
  const waiting = room.data?.waiting_approvals ?? 0;
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <header className="top">
        <button
          type="button" className="button button-quiet menu-button" aria-expanded={menuOpen} aria-controls="menu"
          onClick={() => setMenuOpen(!menuOpen)}
        >
          ☰ <span className="menu-word">Menu</span>
        </button>
        <span className="brand">Aether</span>
        <ConnectionBadge />
        <Clock />
        <KillSwitchButton accounts={accounts} account={account} />
      </header>
      <nav id="menu" className={menuOpen ? "menu menu-open" : "menu"} aria-label="Pages" onClick={() => setMenuOpen(false)}>
        <ul>
          {PAGES.map((page) => (
            <li key={page.to}>
              <Link to={page.to} activeOptions={{ exact: page.to === "/" }}>
                {page.label}
                {page.to === "/approvals" && waiting > 0 ? <span className="count">{waiting}<span className="sr"> waiting</span></span> : null}
              </Link>
              {page.to === "/" ? (
                <ul>
                  {accounts.map((name) => (
                    <li key={name}>
                      <Link to="/accounts/$account" params={{ account: name }}>
                        {name}
                      </Link>
                    </li>
                  ))}
                </ul>
              ) : null}
            </li>
          ))}
        </ul>
        <div className="menu-foot">
          <p>
            {person.display_name} <small>({[...new Set(person.grants.map((grant) => grant.role.replaceAll("_", " ")))].join(", ")})</small>
          </p>
          <CodesNeeded />
          <Button kind="quiet" pressed={presenting} onPress={() => setPresenter(!presenting)}>
            {presenting ? "Show amounts" : "Hide amounts"}
          </Button>
          <Button kind="quiet" onPress={() => setTheme(nextTheme(theme))}>
            Theme: {theme}
          </Button>
          <Button kind="quiet" onPress={() => void signOut()}>
            Sign out
          </Button>
        </div>
      </nav>
      <Outlet />
    </div>
  );
}
