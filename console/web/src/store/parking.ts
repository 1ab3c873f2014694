/** What a parked customer wrote since then: only that brings the conversation back to attention. */

import { reactive } from "vue";
import type { ConversationView, MessageView } from "../api/wire";
import type { KeyValue } from "../lib/storage";

const PREFIX = "parked.";

export class Parking {
  /** The last message's position when the conversation was parked, by contact. */
  private readonly marks = reactive(new Map<number, number>());

  constructor(private readonly storage: KeyValue) {
    for (const key of storage.keys()) {
      if (key.startsWith(PREFIX)) this.marks.set(Number(key.slice(PREFIX.length)), Number(storage.get(key) ?? 0));
    }
  }

  /** Marks what is newly parked, and forgets what is parked no more. */
  update(conversations: readonly ConversationView[]): void {
    const parked = conversations.filter((conversation) => conversation.parked);
    const contacts = new Set(parked.map(({ contact }) => contact));
    for (const contact of [...this.marks.keys()]) {
      if (contacts.has(contact)) continue;
      this.marks.delete(contact);
      this.storage.remove(PREFIX + contact);
    }
    for (const { contact, last_message_position } of parked) {
      if (this.marks.has(contact)) continue;
      this.marks.set(contact, last_message_position);
      this.storage.set(PREFIX + contact, String(last_message_position));
    }
  }

  /** The messages that came after parking; all of them when the conversation is not parked. */
  after(contact: number, messages: readonly MessageView[]): readonly MessageView[] {
    const mark = this.marks.get(contact);
    return mark === undefined ? messages : messages.filter(({ position }) => position > mark);
  }
}
