import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/http";
import { Link, retryDelayMs, SILENCE_MS, type LinkState, type SocketLike } from "../src/api/socket";
import type { ServerMessage } from "../src/api/wire";

class SocketDouble implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: string[] = [];
  closed = false;
  constructor(readonly ticket: string) {}
  send(data: string): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
  opens(): void {
    this.onopen?.(undefined as never);
  }
  says(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  breaks(): void {
    this.onclose?.({ code: 1006 });
  }
}

describe("link", () => {
  let sockets: SocketDouble[] = [];
  let states: LinkState[] = [];
  let received: ServerMessage[] = [];
  let expired = 0;
  let tickets: () => Promise<string> = async () => "t";
  const last = (): SocketDouble => sockets.at(-1) as SocketDouble;
  const start = async (): Promise<Link> => {
    const link = new Link({
      ticket: () => tickets(),
      open: (ticket) => {
        const socket = new SocketDouble(ticket);
        sockets.push(socket);
        return socket;
      },
      onMessage: (message) => received.push(message),
      onState: (state) => states.push(state),
      onExpired: () => (expired += 1),
      random: () => 1,
    });
    link.start();
    await vi.advanceTimersByTimeAsync(0);
    return link;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    states = [];
    received = [];
    expired = 0;
    let number = 0;
    tickets = async () => `ticket-${++number}`;
  });
  afterEach(() => vi.useRealTimers());

  it("connects again after a break, with a fresh ticket and growing pauses", async () => {
    const link = await start();
    last().opens();
    last().says({ type: "typing", contact: 1, on: true });
    expect(link.send({ type: "typing", contact: 1, on: true })).toBe(true);
    last().breaks();
    expect(link.send({ type: "typing", contact: 1, on: true })).toBe(false);
    await vi.advanceTimersByTimeAsync(499);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets.map(({ ticket }) => ticket)).toEqual(["ticket-1", "ticket-2"]);
    last().breaks();
    await vi.advanceTimersByTimeAsync(999);
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets).toHaveLength(3);
    last().opens();
    expect(states.at(-1)).toBe("up");
  });

  it("takes long silence for a dead line", async () => {
    await start();
    last().opens();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    last().says({ type: "typing", contact: 1, on: true });
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(last().closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets[0]?.closed).toBe(true);
    expect(states.at(-1)).toBe("down");
  });

  it("hears nothing from a socket that it gave up", async () => {
    await start();
    const old = last();
    old.opens();
    const deliver = old.onmessage;
    old.breaks();
    deliver?.({ data: JSON.stringify({ type: "typing", contact: 1, on: true }) });
    expect(received).toEqual([]);
  });

  it("does not wait when the network says it is back", async () => {
    const link = await start();
    last().opens();
    last().breaks();
    link.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sockets).toHaveLength(2);
  });

  it("stops for good when the session is over", async () => {
    tickets = () => Promise.reject(new ApiError(401, "bad_token", "expired"));
    await start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(expired).toBe(1);
    expect(sockets).toHaveLength(0);
    expect(states.at(-1)).toBe("closed");
  });

  it("goes on trying when the server cannot be reached", async () => {
    tickets = () => Promise.reject(new TypeError("network"));
    await start();
    tickets = async () => "t";
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets).toHaveLength(1);
    expect(expired).toBe(0);
  });

  it("distinguishes a farewell that is final from one that is not", async () => {
    await start();
    last().opens();
    last().says({ type: "bye", code: "draining" });
    expect(received).toEqual([{ type: "bye", code: "draining" }]);
    last().says({ type: "bye", code: "revoked" });
    expect(expired).toBe(1);
    expect(last().closed).toBe(true);
  });

  it("bounds and spreads the pauses", () => {
    expect([0, 1, 2, 3].map((attempt) => retryDelayMs(attempt, 1))).toEqual([500, 1000, 2000, 4000]);
    expect(retryDelayMs(50, 1)).toBe(15_000);
    expect(retryDelayMs(50, 0)).toBe(7_500);
  });
});
