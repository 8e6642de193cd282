import type { components } from "@/api/schema";
import { Figure } from "@/components/Figure";
import { Moment } from "@/components/Moment";

type MarketLine = components["schemas"]["MarketLine"];

export interface MarketTableProps {
  readonly market: MarketLine;
}

/** The last prices, with the market's own time. */
export function MarketTable({ market }: MarketTableProps) {
  return (
    <section className="panel">
      <h2>Market</h2>
      <p className="panel-note">
        {market.source} at speed {market.speed}; <Moment at={market.market_time} market unknown="no price yet" />
      </p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Prices">
        <table className="table market">
          <thead>
            <tr>
              <th scope="col">Pair</th>
              <th scope="col" className="number">Last</th>
              <th scope="col" className="number">Bid</th>
              <th scope="col" className="number">Ask</th>
            </tr>
          </thead>
          <tbody>
            {market.symbols.map((line) => (
              <tr key={line.symbol}>
                <th scope="row">{line.symbol}</th>
                {(["last", "bid", "ask"] as const).map((name) => (
                  <td key={name} className="number">
                    <Figure value={line[name]} kind="price" stale={line.stale ? "stale" : null} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
