import { beforeEach, describe, expect, it } from "vitest";
import { Outbox } from "../src/store/outbox";
import { memoryStorage } from "./memory";

describe("outbox", () => {
  let storage = memoryStorage();
  let sent: string[] = [];
  let up = true;
  const open = (): Outbox =>
    new Outbox(storage, ({ external_id }) => {
      if (up) sent.push(external_id);
      return up;
    });

  beforeEach(() => {
    storage = memoryStorage();
    sent = [];
    up = true;
  });

  it("sends one message per contact at a time, in the order typed", () => {
    const outbox = open();
    outbox.add(1, "first", "a", 0);
    outbox.add(1, "second", "b", 0);
    outbox.add(2, "other customer", "c", 0);
    expect(sent).toEqual(["a", "c"]);
    outbox.confirmed("a");
    expect(sent).toEqual(["a", "c", "b"]);
  });

  it("sends what is unconfirmed again under the same id on a new connection", () => {
    const outbox = open();
    outbox.add(1, "first", "a", 0);
    outbox.add(1, "second", "b", 0);
    outbox.lineUp();
    expect(sent).toEqual(["a", "a"]);
    outbox.confirmed("a");
    outbox.confirmed("a");
    expect(sent).toEqual(["a", "a", "b"]);
  });

  it("keeps messages over a reload until the server has them", () => {
    up = false;
    open().add(1, "typed while offline", "a", 0);
    up = true;
    const reloaded = open();
    expect(reloaded.of(1).map(({ text }) => text)).toEqual(["typed while offline"]);
    reloaded.lineUp();
    expect(sent).toEqual(["a"]);
    reloaded.confirmed("a");
    expect(storage.data.size).toBe(0);
    expect(open().items).toEqual([]);
  });

  it("holds a refused message for the agent and goes on with the next", () => {
    const outbox = open();
    outbox.add(1, "too late", "a", 0);
    outbox.add(1, "next", "b", 0);
    outbox.refused("a", "unknown contact");
    expect(outbox.of(1)[0]?.error).toBe("unknown contact");
    expect(sent).toEqual(["a", "b"]);
    outbox.confirmed("b");
    outbox.retry("a");
    expect(sent).toEqual(["a", "b", "a"]);
    outbox.discard("a");
    expect(outbox.items).toEqual([]);
  });

  it("repeats a message for which the server was too busy", () => {
    const outbox = open();
    outbox.add(1, "first", "a", 0);
    outbox.add(1, "second", "b", 0);
    outbox.again("a");
    expect(sent).toEqual(["a", "a"]);
  });
});
