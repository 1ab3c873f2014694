/** Files: those on their way to a customer, sent again under their ids, and those that are shown. */

import { markRaw, reactive } from "vue";
import { ApiError } from "../api/http";
import type { FileView, WireError } from "../api/wire";

/** The part of the HTTP side that is used here; tests pass a double. */
export interface FileApi {
  sendFile(contact: number, externalId: string, file: File): Promise<void>;
  readFile(contact: number, id: string): Promise<Blob>;
}

export interface SendingFile {
  contact: number;
  external_id: string;
  file: File;
  /** Why it was not taken; such a file waits for the agent. */
  error: WireError | null;
}

const RETRY_MS = 2_000;
const MOST_TRIES = 5;
/** So many pictures are held, the ones that were shown last. */
const MOST_SHOWN = 40;

export class Files {
  readonly sending: SendingFile[] = reactive([]);
  private readonly tries = new Map<string, number>();
  private readonly pictures = new Map<string, Promise<string>>();
  private api: FileApi | null = null;
  private underWay = false;

  constructor(
    private readonly newId: () => string,
    private readonly notify: (error: WireError) => void,
  ) {}

  attach(api: FileApi): void {
    this.api = api;
  }

  /** Takes what was chosen, dropped or pasted; what the channel does not take is said at once. */
  add(contact: number, files: Iterable<File>, maxBytes: number): void {
    for (const file of files) {
      const code = file.size === 0 ? "file_empty" : "file_too_large";
      if (file.size === 0 || file.size > maxBytes) this.notify({ code, message: file.name });
      else this.sending.push({ contact, external_id: this.newId(), file: markRaw(file), error: null });
    }
    void this.pump();
  }

  of(contact: number): SendingFile[] {
    return this.sending.filter((item) => item.contact === contact);
  }

  /** The server has it, or the agent has thrown it away. */
  confirmed(externalId: string): void {
    const index = this.sending.findIndex((item) => item.external_id === externalId);
    if (index >= 0) this.sending.splice(index, 1);
    this.tries.delete(externalId);
  }

  retry(externalId: string): void {
    const item = this.sending.find((candidate) => candidate.external_id === externalId);
    if (!item) return;
    item.error = null;
    this.tries.delete(externalId);
    void this.pump();
  }

  keepOnly(contacts: ReadonlySet<number>): void {
    for (const item of [...this.sending]) if (!contacts.has(item.contact)) this.confirmed(item.external_id);
  }

  /** A picture as text: the page shows no addresses but its own, and this one needs the token. */
  picture(contact: number, id: string): Promise<string> {
    let found = this.pictures.get(id);
    if (found === undefined) {
      found = this.read(contact, id).then(asDataUrl);
      this.pictures.set(id, found);
      found.catch(() => this.pictures.delete(id));
      const oldest = this.pictures.keys().next().value;
      if (this.pictures.size > MOST_SHOWN && oldest !== undefined) this.pictures.delete(oldest);
    }
    return found;
  }

  async save(contact: number, file: FileView): Promise<void> {
    try {
      const href = URL.createObjectURL(await this.read(contact, file.id));
      Object.assign(document.createElement("a"), { href, download: file.name }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
    } catch (error) {
      this.notify(asWireError(error));
    }
  }

  private read(contact: number, id: string): Promise<Blob> {
    return this.api ? this.api.readFile(contact, id) : Promise.reject(new Error("no connection"));
  }

  /** Sends them one after the other, so that the customer gets them in order. */
  private async pump(): Promise<void> {
    const next = this.sending.find(({ error }) => error === null);
    if (!next || !this.api || this.underWay) return;
    this.underWay = true;
    let pauseMs = 0;
    try {
      await this.api.sendFile(next.contact, next.external_id, next.file);
      this.confirmed(next.external_id);
    } catch (error) {
      pauseMs = this.failed(next, error);
    }
    this.underWay = false;
    if (pauseMs > 0) setTimeout(() => void this.pump(), pauseMs);
    else void this.pump();
  }

  /** Returns the pause until it is tried again; 0 = that is the agent's to say. */
  private failed(item: SendingFile, error: unknown): number {
    const tries = (this.tries.get(item.external_id) ?? 0) + 1;
    const mayPass = !(error instanceof ApiError) || error.code === "busy" || error.status === 502;
    this.tries.set(item.external_id, tries);
    if (mayPass && tries < MOST_TRIES) return RETRY_MS;
    item.error = asWireError(error);
    return 0;
  }
}

/** A file's length as people read it. */
export function formatBytes(bytes: number): string {
  return bytes < 1 << 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;
}

const asWireError = (error: unknown): WireError =>
  error instanceof ApiError ? { code: error.code, message: error.message } : { code: "network", message: "" };

function asDataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
