import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { answers, show } from "@/test/harness";

import { ProtectionPanel } from "./ProtectionPanel";
import { exportAddress, filtersOf, isSearch } from "./queries";

const NOW = "2026-11-28T12:00:00Z";

function protection(changed = {}) {
  return { as_of: NOW, cosigned_at: "2026-11-28T11:59:30Z", size: 120, unprotected: 3, fault: "", witnesses: 1, checkpoints: [{ size: 120, at: NOW, reason: "minute", cosigned: true }], ...changed };
}

describe("the protection of the record", () => {
  it("says that a witness has cosigned it, up to where, and what came after", async () => {
    answers({ "GET /api/v1/record/protection": () => protection() });
    await show(<ProtectionPanel />);
    expect(await screen.findByText(/Protected up to now/)).toBeTruthy();
    expect(screen.getByText("Rows it covers").nextElementSibling?.textContent).toBe("120");
    expect(screen.getByText("Rows after it").nextElementSibling?.textContent).toBe("3");
  });

  it("says why it is not protected, and that nobody ever cosigned", async () => {
    answers({ "GET /api/v1/record/protection": () => protection({ cosigned_at: null, size: 0, fault: "no checkpoint of the record was cosigned yet", witnesses: 0, checkpoints: [] }) });
    await show(<ProtectionPanel />);
    expect(await screen.findByText(/Not protected up to now: no checkpoint of the record was cosigned yet/)).toBeTruthy();
    expect(screen.getByText("never")).toBeTruthy();
  });
});

describe("a search of the record", () => {
  it("takes whole days in UTC, and all chains only where that is asked for", () => {
    expect(filtersOf({ scope: "all", since: "2026-11-01", until: "2026-11-28", words: "stop" })).toEqual({ since: "2026-11-01T00:00:00Z", until: "2026-11-28T23:59:59.999999Z", words: "stop" });
    expect(filtersOf({ scope: "company", action: "halted" })).toEqual({ account: "company", action: "halted" });
    expect(isSearch({ scope: "company", action: "halted" })).toBe(false);
    expect(isSearch({ scope: "company", actor: "user/a1" })).toBe(true);
  });

  it("exports what is looked at, the platform's own chain without any choice", () => {
    expect(exportAddress({}, "csv")).toBe("/api/v1/record/export?account=platform&format=csv");
    expect(exportAddress({ scope: "all", words: "a b&c" }, "ndjson")).toBe("/api/v1/record/export?words=a+b%26c&format=ndjson");
  });
});
