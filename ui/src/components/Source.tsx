import { Author } from "@/session/Author";

export interface SourceProps {
  /** As a trade has it: `idea/ID`, or `request/WHO/KEY` of a person. */
  readonly source: string;
}

/** Who or what a trade came from, without the ids that the audit keeps. */
export function Source({ source }: SourceProps) {
  const [kind, ...rest] = source.split("/");
  if (kind === "idea") return <span title={source}>a strategy</span>;
  if (kind === "request" && rest.length > 1) return <Author id={rest.slice(0, -1).join("/")} />;
  return <>{source}</>;
}
