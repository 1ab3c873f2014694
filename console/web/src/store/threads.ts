/** The messages of each conversation as the server ordered them, and what follows from them. */

import { reactive } from "vue";
import type { MessageView } from "../api/wire";
import type { KeyValue } from "../lib/storage";

const READ_PREFIX = "read.";

export interface Thread {
  messages: MessageView[];
  /** Position up to which the agent has seen the conversation. */
  read: number;
}

/** Merges what arrived into an ordered list; a message that is already there changes nothing. */
export function merge(messages: readonly MessageView[], arrived: readonly MessageView[]): MessageView[] {
  const byPosition = new Map(messages.map((message) => [message.position, message]));
  for (const message of arrived) byPosition.set(message.position, message);
  return [...byPosition.values()].sort((a, b) => a.position - b.position);
}

/** The highest position below which nothing is missing, so that history is asked for from there. */
export function completeUpTo(messages: readonly MessageView[], first = 1): number {
  let next = first;
  for (const message of messages) {
    if (message.position !== next) break;
    next += 1;
  }
  return next - 1;
}

/** When the customer began to wait for an answer, or null when the agent spoke last. */
export function awaitingSince(messages: readonly MessageView[]): number | null {
  let since: number | null = null;
  for (const message of messages) {
    if (message.sender === "agent") since = null;
    else if (message.sender === "customer") since ??= message.at_ms;
  }
  return since;
}

/**
 * What others wrote that this agent has neither seen here nor answered.
 *
 * What a colleague wrote before this agent ever looked counts as an answer; later it is news like any other.
 *
 * @param me - this agent's name
 */
export function unreadCount(messages: readonly MessageView[], read: number, me: string | null = null): number {
  const byMe = (agent: string | null): boolean => agent === null || agent === me;
  const answers = messages.filter(({ sender, agent }) => sender === "agent" && (read === 0 || byMe(agent)));
  const seen = Math.max(read, answers.at(-1)?.position ?? 0);
  return messages.filter(({ sender, position }) => sender !== "system" && position > seen).length;
}

export class Threads {
  private readonly threads = reactive(new Map<number, Thread>());

  /**
   * @param me - whose page this is
   */
  constructor(
    private readonly storage: KeyValue,
    private readonly me: () => string | null = () => null,
  ) {}

  messages(contact: number): readonly MessageView[] {
    return this.threads.get(contact)?.messages ?? [];
  }

  unread(contact: number): number {
    const thread = this.threads.get(contact);
    return thread ? unreadCount(thread.messages, thread.read, this.me()) : 0;
  }

  add(contact: number, arrived: readonly MessageView[]): void {
    const thread = this.of(contact);
    thread.messages = merge(thread.messages, arrived);
  }

  markRead(contact: number): void {
    const thread = this.of(contact);
    const last = thread.messages.at(-1)?.position ?? 0;
    if (last <= thread.read) return;
    thread.read = last;
    this.storage.set(READ_PREFIX + contact, String(last));
  }

  /** Forgets conversations that are gone from the desk. */
  keepOnly(contacts: ReadonlySet<number>): void {
    for (const contact of [...this.threads.keys()]) if (!contacts.has(contact)) this.threads.delete(contact);
    for (const key of this.storage.keys()) {
      if (key.startsWith(READ_PREFIX) && !contacts.has(Number(key.slice(READ_PREFIX.length)))) {
        this.storage.remove(key);
      }
    }
  }

  private of(contact: number): Thread {
    const known = this.threads.get(contact);
    if (known) return known;
    const thread: Thread = reactive({ messages: [], read: Number(this.storage.get(READ_PREFIX + contact) ?? 0) });
    this.threads.set(contact, thread);
    return thread;
  }
}
