import { describe, expect, it } from "vitest";
import type { MessageView, Sender } from "../src/api/wire";
import { awaitingSince, completeUpTo, merge, Threads, unreadCount } from "../src/store/threads";
import { memoryStorage } from "./memory";

const message = (position: number, sender: Sender = "customer", at_ms = position * 1000): MessageView => ({
  id: position,
  position,
  sender,
  text: `m${position}`,
  at_ms,
  external_id: null,
  agent: null,
  files: [],
});
const positions = (messages: readonly MessageView[]): number[] => messages.map(({ position }) => position);

describe("thread", () => {
  it("is in the server's order, without doubles, however it arrives", () => {
    const merged = merge([message(1), message(4)], [message(2), message(4), message(3)]);
    expect(positions(merged)).toEqual([1, 2, 3, 4]);
  });

  it("knows where it has a hole", () => {
    expect(completeUpTo([])).toBe(0);
    expect(completeUpTo([message(1), message(2), message(4)])).toBe(2);
    expect(completeUpTo([message(3)])).toBe(0);
  });

  it("says since when the customer waits: the first message after the agent's last", () => {
    expect(awaitingSince([])).toBeNull();
    expect(awaitingSince([message(1), message(2)])).toBe(1000);
    expect(awaitingSince([message(1), message(2, "agent")])).toBeNull();
    expect(awaitingSince([message(1), message(2, "agent"), message(3), message(4, "system"), message(5)])).toBe(3000);
    expect(awaitingSince([message(1), message(2, "system")])).toBe(1000);
  });
});

describe("unread", () => {
  it("counts what a colleague writes while the agent is in it, not what was said before", () => {
    const by = (position: number, agent: string): MessageView => ({ ...message(position, "agent"), agent });
    const said = [message(1), by(2, "li_na"), message(3), by(4, "chen_wei"), by(5, "li_na"), message(6)];
    expect(unreadCount(said.slice(0, 3), 0, "chen_wei")).toBe(1);
    expect(unreadCount(said, 1, "chen_wei")).toBe(2);
    expect(unreadCount(said, 5, "chen_wei")).toBe(1);
  });

  it("counts the customer's messages beyond the last one seen, also after a reload", () => {
    const storage = memoryStorage();
    const threads = new Threads(storage);
    threads.add(5, [message(1), message(2, "agent")]);
    threads.markRead(5);
    threads.add(5, [message(3), message(4, "system")]);
    expect(threads.unread(5)).toBe(1);
    const reloaded = new Threads(storage);
    reloaded.add(5, [message(1), message(2, "agent"), message(3)]);
    expect(reloaded.unread(5)).toBe(1);
  });

  it("does not count what was answered, from whichever device", () => {
    expect(unreadCount([message(1), message(2, "agent"), message(3)], 0)).toBe(1);
    expect(unreadCount([message(1), message(2, "agent")], 0)).toBe(0);
  });

  it("is forgotten with the conversation", () => {
    const storage = memoryStorage();
    const threads = new Threads(storage);
    threads.add(5, [message(1)]);
    threads.markRead(5);
    threads.keepOnly(new Set([6]));
    expect(threads.messages(5)).toEqual([]);
    expect(storage.data.size).toBe(0);
  });
});
