/** The steps of the set-up. What is done is read from the record, so it can be left and resumed. */

export interface SetUpState {
  /** Directors who may approve, each with a second factor; undefined where one may not ask. */
  readonly directors: number | undefined;
  readonly accounts: readonly { readonly account: string; readonly state: string; readonly trades: number }[];
  /** Accounts whose limits somebody looked through. */
  readonly limitsSeen: readonly string[];
}

export interface SetUpStep {
  readonly code: "director" | "second" | "accounts" | "limits" | "keys" | "simulation";
  readonly title: string;
  /** undefined: it is nobody's to tell, and holds nothing up. */
  readonly done: boolean | undefined;
}

export function stepsOf(state: SetUpState): readonly SetUpStep[] {
  const { accounts, directors, limitsSeen } = state;
  return [
    { code: "director", title: "First director and second factor", done: true },
    { code: "second", title: "A second director, who approves", done: directors === undefined ? undefined : directors >= 2 },
    { code: "accounts", title: "Accounts and their exchange", done: accounts.length > 0 && accounts.every((one) => one.state !== "no exchange") },
    { code: "limits", title: "Limits, looked through", done: accounts.length > 0 && accounts.every((one) => limitsSeen.includes(one.account)) },
    { code: "simulation", title: "The first simulated trade", done: accounts.some((one) => one.trades > 0) },
    { code: "keys", title: "Keys of Kraken, when it is to be real money", done: undefined },
  ];
}

const NAME = "aether.limits-seen";

export function limitsSeen(): readonly string[] {
  try {
    const found: unknown = JSON.parse(globalThis.localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export function noteLimitsSeen(account: string): readonly string[] {
  const all = [...new Set([...limitsSeen(), account])];
  globalThis.localStorage.setItem(NAME, JSON.stringify(all));
  return all;
}
