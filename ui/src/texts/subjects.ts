/** What a request for approval is about, in words. */
const WORDS: Readonly<Record<string, string>> = {
  entry: "Entry",
  worse_protection: "Weaker protection of a trade",
  change_settings: "Change of settings",
  lift_drawdown: "Lifting of a drawdown halt",
  go_live: "Going live",
  universe: "Change of the universe",
  lift_kill_switch: "Lifting of a kill switch",
  promote_model: "Promotion of a model",
  exchange_key: "Exchange key",
};

export function subjectWords(subject: string): string {
  return WORDS[subject] ?? subject.replaceAll("_", " ");
}
