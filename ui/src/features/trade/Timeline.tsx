import type { components } from "@/api/schema";
import { Moment } from "@/components/Moment";
import { formatDecimal } from "@/format/decimal";

type Order = components["schemas"]["Order"];
type Execution = components["schemas"]["Execution"];

export interface TimelineProps {
  readonly orders: readonly Order[];
  readonly executions: readonly Execution[];
}

export interface Happening {
  readonly key: string;
  readonly at: string;
  readonly words: string;
  readonly tone: "" | "good" | "alarm";
}

/** Every event of every order in the order of the platform's clock, with what each step took. */
export function Timeline({ orders, executions }: TimelineProps) {
  const events = happenings(orders, executions);
  return (
    <section className="panel rows">
      <h2>Order events</h2>
      {events.length === 0 ? <p className="panel-note">Nothing has happened yet.</p> : null}
      <ol className="story">
        {events.map((one) => (
          <li key={one.key} className={one.tone}>
            {one.words} <small><Moment at={one.at} /></small>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function happenings(orders: readonly Order[], executions: readonly Execution[]): Happening[] {
  const found: Happening[] = [];
  for (const order of orders) {
    const name = `${order.leg} ${order.side} ${order.order_type}`;
    const add = (at: string | null, step: string, words: string, tone: Happening["tone"] = "") => {
      if (at) found.push({ key: `${order.client_order_id}/${step}`, at, words, tone });
    };
    const price = order.limit_price ?? order.trigger_price;
    add(order.intended_at, "intended", `${name}: ${formatDecimal(order.quantity)}${price ? ` at ${formatDecimal(price)}` : ""} intended and stored`);
    add(order.sent_at, "sent", `${name} sent${order.sends > 1 ? ` (${order.sends} times, each asked about first)` : ""}, ${took(order.intended_at, order.sent_at)} later`);
    add(order.acknowledged_at, "acknowledged", `${name} acknowledged by the exchange, ${took(order.sent_at ?? order.intended_at, order.acknowledged_at)} after it was sent`, "good");
    const ended = order.status === "rejected" || order.status === "unknown";
    add(order.ended_at, "ended", `${name} ${order.status}${order.reason ? `: ${order.reason}` : ""}`, ended ? "alarm" : "");
  }
  for (const one of executions) {
    found.push({
      key: `fill/${one.execution_id}`,
      at: one.recorded_at,
      words: `${one.side === "buy" ? "bought" : "sold"} ${formatDecimal(one.quantity)} at ${formatDecimal(one.price)}, fee ${formatDecimal(one.fee)} (${one.maker ? "maker" : "taker"})`,
      tone: "good",
    });
  }
  return found.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.key.localeCompare(b.key));
}

function took(from: string | null, to: string | null): string {
  if (!from || !to) return "at once";
  const milliseconds = Date.parse(to) - Date.parse(from);
  return milliseconds < 1000 ? `${Math.max(0, milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
