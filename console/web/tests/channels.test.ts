import { describe, expect, it } from "vitest";
import type { ChannelOverview } from "../src/api/wire";
import { setLanguage } from "../src/i18n";
import { channelDetail } from "../src/lib/channels";
import { formatMoment } from "../src/lib/time";

const channel = (fields: Partial<ChannelOverview>): ChannelOverview => ({
  name: "voice",
  title: { en: "Voice", zh: "语音" },
  state: "gone",
  reason: "",
  failures: 0,
  gone_since_ms: null,
  kept_until_ms: null,
  ...fields,
});
const [since, until] = [1_790_000_000_000, 1_790_000_300_000];
const clock = (at: number): string => formatMoment(at, since);

describe("a channel's state", () => {
  it("says nothing of one that is there", () => {
    setLanguage("en");
    expect(channelDetail(channel({ state: "connected" }), since)).toBe("");
  });

  it("says since when nobody is there, and until when contacts are kept", () => {
    const gone = channel({ gone_since_ms: since, kept_until_ms: until });
    expect(channelDetail(gone, since)).toBe(`since ${clock(since)} · contacts are kept until ${clock(until)}`);
    expect(channelDetail(gone, until)).toBe(`since ${clock(since)} · who waits has been released`);
    expect(channelDetail(channel({ gone_since_ms: since }), until)).toBe(`since ${clock(since)}`);
  });

  it("says why a hosted one failed last, also when it is back", () => {
    const failed = channel({ state: "failed", reason: "Boom: no", failures: 1, gone_since_ms: since });
    expect(channelDetail(failed, since)).toBe(`since ${clock(since)} · last failure: Boom: no`);
    expect(channelDetail({ ...failed, state: "open", gone_since_ms: null }, since)).toBe("last failure: Boom: no");
  });
});
