import type { ReactNode } from "react";

export interface ButtonProps {
  readonly children: ReactNode;
  readonly onPress?: () => void;
  readonly kind?: "primary" | "danger" | "plain" | "quiet";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  /** Work is under way: the button stays in place and answers no second press. */
  readonly busy?: boolean;
  readonly label?: string;
  readonly pressed?: boolean;
}

export function Button({
  children, onPress, kind = "plain", type = "button", disabled = false, busy = false, label, pressed,
}: ButtonProps) {
  return (
    <button
      type={type}
      className={`button button-${kind}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      aria-label={label}
      aria-pressed={pressed}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onPress?.();
      }}
    >
      {children}
    </button>
  );
}
