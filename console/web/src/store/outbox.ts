/** Messages on their way to the server: kept until it has them, sent again with the same id, never twice shown. */

import { reactive } from "vue";
import { readJson, type KeyValue } from "../lib/storage";

export interface Outgoing {
  contact: number;
  external_id: string;
  text: string;
  at_ms: number;
  /** Why the server refused it; such a message waits for the agent, not for the line. */
  error: string | null;
}

export type Deliver = (message: Outgoing) => boolean;

const KEY = "outbox";

const isOutgoing = (value: unknown): value is Outgoing => {
  const item = value as Outgoing;
  return (
    typeof item === "object" &&
    item !== null &&
    typeof item.contact === "number" &&
    typeof item.external_id === "string" &&
    typeof item.text === "string" &&
    typeof item.at_ms === "number" &&
    (item.error === null || typeof item.error === "string")
  );
};

const isOutgoingList = (value: unknown): value is Outgoing[] => Array.isArray(value) && value.every(isOutgoing);

export class Outbox {
  readonly items: Outgoing[] = reactive([]);
  /** One message per contact is under way at a time, so that the server sees them in the order typed. */
  private readonly underWay = new Map<number, string>();

  constructor(
    private readonly storage: KeyValue,
    private readonly deliver: Deliver,
  ) {
    this.items.push(...(readJson(storage, KEY, isOutgoingList) ?? []));
  }

  add(contact: number, text: string, externalId: string, atMs: number): void {
    this.items.push({ contact, external_id: externalId, text, at_ms: atMs, error: null });
    this.save();
    this.pump();
  }

  of(contact: number): Outgoing[] {
    return this.items.filter((item) => item.contact === contact);
  }

  /** A new connection: whatever was under way is unknown, so it goes again under its id. */
  lineUp(): void {
    this.underWay.clear();
    this.pump();
  }

  /** The server has it: by a result, or because the stored message came back. */
  confirmed(externalId: string): void {
    this.settle(externalId, (index) => this.items.splice(index, 1));
  }

  refused(externalId: string, error: string): void {
    this.settle(externalId, (index) => {
      const item = this.items[index];
      if (item) item.error = error;
    });
  }

  /** The server could not take it the first time: once more, before the others of its conversation. */
  again(externalId: string): void {
    this.settle(externalId, () => undefined);
  }

  retry(externalId: string): void {
    const item = this.items.find((candidate) => candidate.external_id === externalId);
    if (!item) return;
    item.error = null;
    this.save();
    this.pump();
  }

  discard(externalId: string): void {
    this.confirmed(externalId);
  }

  /** Sends what may go: the oldest message of each contact that has none under way. */
  pump(): void {
    for (const item of this.items) {
      if (item.error !== null || this.underWay.has(item.contact)) continue;
      if (this.deliver(item)) this.underWay.set(item.contact, item.external_id);
    }
  }

  private settle(externalId: string, change: (index: number) => void): void {
    const index = this.items.findIndex((item) => item.external_id === externalId);
    const item = this.items[index];
    if (!item) return;
    if (this.underWay.get(item.contact) === externalId) this.underWay.delete(item.contact);
    change(index);
    this.save();
    this.pump();
  }

  private save(): void {
    if (this.items.length === 0) this.storage.remove(KEY);
    else this.storage.set(KEY, JSON.stringify(this.items));
  }
}
