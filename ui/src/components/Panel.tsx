import { type ReactNode, useId } from "react";

export interface PanelProps {
  readonly title: string;
  readonly children: ReactNode;
  /** Parts below each other with room between, none wider than it needs. */
  readonly stack?: boolean;
}

/** A part of a page with its heading: a landmark, so that it can be gone to by its name. */
export function Panel({ title, children, stack = false }: PanelProps) {
  const id = useId();
  return (
    <section className={stack ? "panel stack" : "panel"} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
