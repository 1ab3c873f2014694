/** One WebSocket that is always being kept up: ticket, connect, notice silence, back off, connect again. */

import { ApiError } from "./http";
import type { ClientMessage, ServerMessage } from "./wire";

export type LinkState = "connecting" | "up" | "down" | "closed";

/** The part of WebSocket that is used here; tests pass a double. */
export interface SocketLike {
  send(data: string): void;
  close(code?: number): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface LinkOptions {
  ticket: () => Promise<string>;
  open: (ticket: string) => SocketLike;
  onMessage: (message: ServerMessage) => void;
  onState: (state: LinkState) => void;
  /** The session is over: only a new login helps. */
  onExpired: () => void;
  random?: () => number;
}

/** The server speaks every second, so this much silence means that the line is dead. */
export const SILENCE_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** Reasons to leave that a new connection would meet again. */
const FINAL_CODES = new Set(["revoked", "signed_out", "session_expired"]);

/** The pause before attempt `attempt` (from 0): doubling, bounded, and spread so that desks do not return in step. */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + random / 2));
}

export class Link {
  private socket: SocketLike | null = null;
  private attempt = 0;
  private wanted = false;
  private generation = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private up = false;

  constructor(private readonly options: LinkOptions) {}

  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    void this.connect();
  }

  stop(): void {
    this.wanted = false;
    this.drop();
    this.options.onState("closed");
  }

  /** Tries at once instead of waiting for the pause to end: the network or the page came back. */
  hurry(): void {
    if (!this.wanted || this.up || this.retryTimer === undefined) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    void this.connect();
  }

  /** Sends when the line is up; says whether it did. */
  send(message: ClientMessage): boolean {
    if (!this.up || this.socket === null) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private async connect(): Promise<void> {
    const generation = ++this.generation;
    this.options.onState("connecting");
    try {
      const ticket = await this.options.ticket();
      if (!this.wanted || generation !== this.generation) return;
      this.attach(this.options.open(ticket), generation);
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) this.expire();
      else this.lost(generation);
    }
  }

  private attach(socket: SocketLike, generation: number): void {
    this.socket = socket;
    this.listenForSilence(generation);
    socket.onopen = () => {
      if (generation !== this.generation) return;
      this.up = true;
      this.options.onState("up");
    };
    socket.onmessage = (event) => {
      if (generation !== this.generation) return;
      this.listenForSilence(generation);
      this.receive(JSON.parse(String(event.data)) as ServerMessage);
    };
    socket.onclose = () => this.lost(generation);
  }

  private receive(message: ServerMessage): void {
    // Only a line that delivers counts as good; one that opens and breaks keeps backing off.
    this.attempt = 0;
    if (message.type === "bye" && FINAL_CODES.has(message.code)) this.expire();
    else this.options.onMessage(message);
  }

  private listenForSilence(generation: number): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.lost(generation), SILENCE_MS);
  }

  private lost(generation: number): void {
    if (generation !== this.generation || !this.wanted) return;
    this.drop();
    this.options.onState("down");
    const pause = retryDelayMs(this.attempt++, (this.options.random ?? Math.random)());
    this.retryTimer = setTimeout(() => {
      this.retryTimer = undefined;
      void this.connect();
    }, pause);
  }

  private expire(): void {
    this.stop();
    this.options.onExpired();
  }

  private drop(): void {
    this.generation++;
    this.up = false;
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.retryTimer = undefined;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close(1000);
  }
}

/** Opens the console's socket on the page's own host. */
export function openSocket(ticket: string): SocketLike {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws?ticket=${encodeURIComponent(ticket)}`);
  return socket as unknown as SocketLike;
}
