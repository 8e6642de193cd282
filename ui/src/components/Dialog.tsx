import { type ReactNode, useEffect, useId, useRef } from "react";

export interface DialogProps {
  readonly title: string;
  readonly open: boolean;
  /** Without it the dialog cannot be left but by what it asks for. */
  readonly onClose?: () => void;
  readonly children: ReactNode;
  readonly danger?: boolean;
}

/** A modal dialog: the browser's own, with its focus, Escape and inert page beneath. */
export function Dialog({ title, open, onClose, children, danger = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog
      ref={element}
      className={danger ? "dialog dialog-danger" : "dialog"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
    >
      <header className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        {onClose ? (
          <button type="button" className="button button-quiet" onClick={onClose} aria-label="Close">
            ✕
          </button>
        ) : null}
      </header>
      {children}
    </dialog>
  );
}
