import type { components } from "@/api/schema";

type Schemas = components["schemas"];

export function anAccount(changed: Partial<Schemas["AccountFigures"]> = {}): Schemas["AccountFigures"] {
  return {
    account: "company", kind: "company", mode: "simulated", state: "trading", why: null, halts: [], equity: "100000.5", unknown: null, not_counted: [],
    cash: "90000", day_share: "-0.0123", day: { value: "0.0123", limit: "0.05", unknown: null }, total: { value: "0.16", limit: "0.20", unknown: null },
    exposure: { value: "0.1", limit: "0.8", unknown: null }, hedge: { state: "off", ratio: null, target: null, as_of: null }, open_trades: 1, trades_maximum: 8,
    unprotected: 0, unprotected_since: null, day_zone: "UTC", day_starts_at: "00:00", ...changed,
  };
}

export function aRoom(changed: Partial<Schemas["ControlRoom"]> = {}): Schemas["ControlRoom"] {
  return {
    as_of: new Date().toISOString(), accounts: [anAccount()],
    market: { source: "generated", speed: "10", market_time: "2026-11-28T12:00:00Z", symbols: [{ symbol: "BTC/USD", bid: "49990", ask: "50000", last: "49995", observed_at: "2026-11-28T12:00:00Z", stale: false }] },
    market_followed: true, prices_unknown: null, processes: [{ name: "api", ready: true, detail: "ok" }], degraded_modes: [], waiting_approvals: 0, kill_switches: [], ...changed,
  };
}

export function aSwitch(changed: Partial<Schemas["KillSwitch"]> = {}): Schemas["KillSwitch"] {
  return {
    number: 3, accounts: ["company", "director-1"], flatten: false, reason: "odd prices", engaged_by: "anna", engaged_at: "2026-11-28T12:00:00Z",
    acknowledged: { company: "2026-11-28T12:00:01Z" }, lifted_by: null, lifted_at: null, silent: ["director-1"], recorded: true, withdrawn: {}, symbols: [], ...changed,
  };
}

export function aPreview(changed: Partial<Schemas["TradePreview"]> = {}): Schemas["TradePreview"] {
  return {
    at: new Date().toISOString(), allowed: true, waits: false, symbol: "BTC/USD", price: "50000", stop_price: "49000", quantity: "0.1", value: "5013", loss: "120",
    slippage_share: "0.0004", checks: [{ rule: "R-3", code: "limit-exceeded", passed: true, reason: "pair 5013 USD against 25000 USD allowed", figure: "5013", limit: "25000" }],
    caps: [], binding: null, costs: null, seen: { price: "50000", settings_version: 0, platform_version: 0, next_trade: 4 }, ...changed,
  };
}
