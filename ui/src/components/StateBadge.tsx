export interface StateBadgeProps {
  readonly state: string;
}

const GLYPHS: Readonly<Record<string, [string, string]>> = {
  trading: ["●", "good"],
  halted: ["■", "alarm"],
  "no exchange": ["▲", "warn"],
};

/** An account's state, by glyph, word and colour. */
export function StateBadge({ state }: StateBadgeProps) {
  const [glyph, tone] = GLYPHS[state] ?? ["▲", "alarm"];
  return (
    <span className={`badge badge-${tone}`}>
      <span aria-hidden="true">{glyph}</span> {state}
    </span>
  );
}
