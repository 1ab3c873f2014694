import { describe, expect, it } from "vitest";
import { formatDuration, fractionLeft, secondsLeft } from "../src/lib/time";

describe("durations", () => {
  it("are written as m:ss and h:mm:ss", () => {
    expect(formatDuration(-5)).toBe("0:00");
    expect(formatDuration(59_999)).toBe("0:59");
    expect(formatDuration(60_000)).toBe("1:00");
    expect(formatDuration(3_599_999)).toBe("59:59");
    expect(formatDuration(3_600_000 + 61_000)).toBe("1:01:01");
  });
});

describe("countdown", () => {
  it("shows 0 only when the time is over", () => {
    expect(secondsLeft(10_000, 0)).toBe(10);
    expect(secondsLeft(10_000, 9_999)).toBe(1);
    expect(secondsLeft(10_000, 10_000)).toBe(0);
    expect(secondsLeft(10_000, 20_000)).toBe(0);
  });
  it("empties from 1 to 0", () => {
    expect(fractionLeft(10_000, 0, 10_000)).toBe(1);
    expect(fractionLeft(10_000, 7_500, 10_000)).toBe(0.25);
    expect(fractionLeft(10_000, 11_000, 10_000)).toBe(0);
    expect(fractionLeft(10_000, 0, 0)).toBe(0);
  });
});
