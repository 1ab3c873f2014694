// The chat's files: sent one after the other until the server has them, fetched with the visitor's token.

const RETRY_MS = 2_000;
const MOST_TRIES = 5;
const MOST_SHOWN = 40;

export class Files {
  constructor({ token, isOpen, newId, onChange, onFailure }) {
    Object.assign(this, { token, isOpen, newId, onChange, onFailure });
    this.queue = [];
    this.maxBytes = 0;
    this.underWay = false;
    this.retryTimer = 0;
    this.pictures = new Map();
  }

  // Takes what was chosen, dropped or pasted; what cannot be sent is said at once.
  add(chat, files) {
    for (const file of files) {
      const name = (file.name || "file").replace(/[/\\]/g, "_");
      if (file.size === 0) this.onFailure("file_empty", { name });
      else if (file.size > this.maxBytes) this.onFailure("file_too_large", { name, mb: this.maxBytes >> 20 });
      else this.queue.push({ external_id: this.newId(), chat, name, file, tries: 0 });
    }
    this.onChange();
    this.pump();
  }

  clear() {
    this.queue = [];
  }

  // A file is read again for every try: it goes under the id that it has, so nothing is stored twice.
  async pump() {
    const next = this.queue[0];
    if (!next || this.underWay || this.retryTimer || !this.isOpen()) return;
    this.underWay = true;
    next.tries += 1;
    const query = new URLSearchParams({ chat: next.chat, external_id: next.external_id, name: next.name });
    let again = 0;
    try {
      const response = await this.fetch(`files?${query}`, {
        method: "POST",
        body: next.file,
        headers: { "content-type": next.file.type || "application/octet-stream" },
      });
      if (response.ok) this.drop(next);
      else again = this.refused(next, await failure(response));
    } catch {
      // The network; or the file is not there any more, which a browser says in the same way.
      again = next.tries < MOST_TRIES ? RETRY_MS : this.refused(next, { code: "network", text: "" });
    }
    this.underWay = false;
    if (again) this.later(again);
    else if (this.queue.length > 0 && this.queue[0] !== next) this.pump();
    this.onChange();
  }

  later(delayMs) {
    this.retryTimer = setTimeout(() => {
      this.retryTimer = 0;
      this.pump();
    }, delayMs);
  }

  // Returns after how many ms it is to be tried again; 0 = it is not, or when the chat is open again.
  refused(item, { code, text, retry_after_ms }) {
    if (retry_after_ms !== undefined) return Math.max(RETRY_MS, retry_after_ms);
    if (code === "no_chat" || code === "bad_token") return 0;
    this.drop(item);
    this.onFailure("file_failed", { name: item.name, text });
    return 0;
  }

  drop(item) {
    this.queue = this.queue.filter((one) => one !== item);
  }

  // A picture as text: pages here show no addresses but their own, and this one needs the token.
  async picture(chat, id) {
    if (!this.pictures.has(id)) {
      const blob = await this.read(chat, id);
      const url = await new Promise((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.onerror = reject;
        reader.readAsDataURL(blob);
      });
      this.pictures.set(id, url);
      if (this.pictures.size > MOST_SHOWN) this.pictures.delete(this.pictures.keys().next().value);
    }
    return this.pictures.get(id);
  }

  async save(chat, { id, name }) {
    try {
      const url = URL.createObjectURL(await this.read(chat, id));
      const link = document.createElement("a");
      Object.assign(link, { href: url, download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch {
      this.onFailure("file_unreadable", { name });
    }
  }

  async read(chat, id) {
    const response = await this.fetch(`files/${encodeURIComponent(chat)}/${encodeURIComponent(id)}`);
    if (!response.ok) throw new Error(response.statusText);
    return response.blob();
  }

  fetch(address, { headers = {}, ...rest } = {}) {
    return fetch(address, { ...rest, headers: { ...headers, authorization: `Bearer ${this.token()}` } });
  }
}

// A proxy before the site has its own words, and they are not ours.
async function failure(response) {
  try {
    return (await response.json()).error;
  } catch {
    return { code: "proxy", text: String(response.status) };
  }
}
