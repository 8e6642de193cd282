/** Reads again what an event says has changed: at once, then at most four times a second. */

import type { QueryClient, QueryKey } from "@tanstack/react-query";

const PAUSE_MS = 250;

export class Refresher {
  private readonly waiting = new Map<string, QueryKey>();
  private running = false;

  constructor(private readonly queries: QueryClient) {}

  /** Have everything under a key read again; what is being read already is read once more after. */
  changed(key: QueryKey): void {
    this.waiting.set(JSON.stringify(key), key);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      while (this.waiting.size > 0) {
        const keys = [...this.waiting.values()];
        this.waiting.clear();
        // One after the other and never cut short: a read that events keep cancelling never ends.
        await Promise.allSettled(keys.map((queryKey) => this.queries.invalidateQueries({ queryKey })));
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } finally {
      this.running = false;
    }
  }
}
