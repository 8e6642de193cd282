import { type ReactNode, useEffect, useRef, useState } from "react";

export interface Column<Row> {
  readonly name: string;
  readonly number?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

export interface RowsProps<Row> {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly empty: string;
  readonly alarm?: (row: Row) => boolean;
  /** Rows shown at first; more on request. */
  readonly most?: number;
  readonly note?: ReactNode;
  /** Shown below the last row, once all rows that are there are shown. */
  readonly more?: ReactNode;
}

/**
 * A table whose rows stay where they are while the pointer or the focus is in it: nothing moves
 * under a press. What came meanwhile is said, and shown when it is left.
 */
export function Rows<Row>({ caption, rows, columns, keyOf, empty, alarm, most = 50, note, more }: RowsProps<Row>) {
  const [held, setHeld] = useState<readonly Row[]>();
  const [shown, setShown] = useState(most);
  const place = useRef<HTMLElement>(null);
  const pointed = useRef(false);
  // A button that vanishes under its own press tells nobody that it has lost the focus.
  useEffect(() => {
    if (held !== undefined && !pointed.current && !place.current?.contains(document.activeElement)) setHeld(undefined);
  });
  const point = (on: boolean) => {
    pointed.current = on;
    setHeld(on ? rows : undefined);
  };
  const all = held ?? rows;
  const fresh = held === undefined ? 0 : countChanged(held, rows, keyOf);
  const visible = all.slice(0, shown);
  return (
    <section
      className="panel rows"
      ref={place}
      onPointerEnter={(event) => event.pointerType === "mouse" && point(true)}
      onPointerLeave={(event) => event.pointerType === "mouse" && point(false)}
      onFocus={() => setHeld((now) => now ?? rows)}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setHeld(undefined);
      }}
    >
      <h2>{caption}</h2>
      {note}
      {fresh > 0 ? <p className="rows-fresh" role="status">{fresh} changed; shown when you leave the table</p> : null}
      {all.length === 0 ? (
        <p className="panel-note">{empty}</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label={caption}>
          <table className={fresh > 0 ? "table stacked frozen" : "table stacked"}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column.name} scope="col" className={column.number ? "number" : undefined}>
                    {column.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {visible.map((row) => (
                <tr key={keyOf(row)} className={alarm?.(row) ? "row-alarm" : undefined}>
                  {columns.map((column) => (
                    <td key={column.name} data-label={column.name} className={column.number ? "number" : undefined}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {all.length > shown ? (
        <button type="button" className="button button-quiet" onClick={() => setShown(shown + 200)}>
          Show more ({all.length - shown} left)
        </button>
      ) : more ? (
        // Whoever asks for more is to see it: the rows that came are not held back under the press.
        <div onClick={() => point(false)}>{more}</div>
      ) : null}
    </section>
  );
}

function countChanged<Row>(held: readonly Row[], rows: readonly Row[], keyOf: (row: Row) => string): number {
  if (held === rows) return 0;
  const before = new Map(held.map((row) => [keyOf(row), JSON.stringify(row)]));
  return rows.filter((row) => before.get(keyOf(row)) !== JSON.stringify(row)).length;
}
