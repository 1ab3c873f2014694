/** What an agent has typed and not sent, per contact; it survives a reload. */

import { reactive } from "vue";
import type { KeyValue } from "../lib/storage";

const PREFIX = "draft.";

export class Drafts {
  private readonly texts = reactive(new Map<number, string>());

  constructor(private readonly storage: KeyValue) {
    for (const key of storage.keys()) {
      const contact = Number(key.slice(PREFIX.length));
      if (key.startsWith(PREFIX) && Number.isSafeInteger(contact)) {
        this.texts.set(contact, storage.get(key) ?? "");
      }
    }
  }

  get(contact: number): string {
    return this.texts.get(contact) ?? "";
  }

  set(contact: number, text: string): void {
    if (text === "") {
      this.texts.delete(contact);
      this.storage.remove(PREFIX + contact);
    } else {
      this.texts.set(contact, text);
      this.storage.set(PREFIX + contact, text);
    }
  }

  /** Forgets the drafts of contacts that the server no longer shows, so that the storage does not grow. */
  keepOnly(contacts: ReadonlySet<number>): void {
    for (const contact of [...this.texts.keys()]) {
      if (!contacts.has(contact)) this.set(contact, "");
    }
  }
}
