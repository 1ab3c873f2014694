// What the page remembers over a reload: who the visitor is, the chat, and what is not yet delivered.

const KEY = "paidui.chat";

export class Memory {
  constructor(storage) {
    this.storage = storage;
    this.state = { token: null, language: null, chat: null, outbox: [], draft: "", kept: null };
    try {
      Object.assign(this.state, JSON.parse(storage.getItem(KEY) ?? "{}"));
    } catch {
      // Broken or refused: the page works, it only forgets.
    }
  }

  set(changes) {
    Object.assign(this.state, changes);
    try {
      this.storage.setItem(KEY, JSON.stringify(this.state));
    } catch {
      // As above.
    }
  }
}
