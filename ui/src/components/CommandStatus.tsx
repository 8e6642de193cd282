import type { CommandState } from "@/commands/useCommand";

import { ProblemNote } from "./ProblemNote";

export interface CommandStatusProps {
  readonly command: CommandState<unknown>;
  /** What is said once the record shows it. */
  readonly recorded: string;
  /** What a refusal means for money. */
  readonly refusedEffect?: string;
}

/** How far a command is, in words; refusals with everything that is known of them. */
export function CommandStatus({ command, recorded, refusedEffect = "Nothing was changed." }: CommandStatusProps) {
  if (command.step === "idle") return null;
  if (command.step === "refused" && command.problem) {
    return <ProblemNote problem={command.problem} effect={refusedEffect} />;
  }
  const words = {
    sending: "Sent; waiting for the answer …",
    asking: "Outcome unknown, asking. It is the same command: nothing is done twice.",
    accepted: "Accepted; waiting for the record to show it …",
    recorded,
    refused: "Refused.",
  }[command.step];
  return (
    <p className={`command-status command-${command.step}`} role="status">
      {words}
    </p>
  );
}
