export interface ModeBadgeProps {
  readonly mode: string;
}

/** The mode in words: never colour alone. */
export function ModeBadge({ mode }: ModeBadgeProps) {
  const live = mode === "live";
  return <span className={live ? "badge badge-live" : "badge badge-simulated"}>{live ? "LIVE" : "simulated"}</span>;
}
