/** The desk's state: what the server last said, and what this page adds to it. */

import { computed, reactive, type ComputedRef } from "vue";
import type { Link, LinkState } from "../api/socket";
import type {
  Act,
  AgentView,
  ClientMessage,
  ConfigView,
  ConversationView,
  DeskView,
  DoFields,
  InvitationView,
  OfferView,
  Overview,
  ServerMessage,
  WireError,
} from "../api/wire";
import type { KeyValue } from "../lib/storage";
import type { ServerClock } from "./clock";
import { titleText } from "../i18n";
import { inHand, keepEnded, keepOrder, nextToShow } from "./conversations";
import { Drafts } from "./drafts";
import { Files } from "./files";
import { Lists } from "./lists";
import { Outbox } from "./outbox";
import { Parking } from "./parking";
import { awaitingSince, completeUpTo, Threads } from "./threads";

/** The server was too busy for a message: how long to let it breathe. */
const BUSY_PAUSE_MS = 1_000;
const NOTICE_MS = 6_000;
const OFFLINE: WireError = { code: "offline", message: "" };
const SELECTED = "selected";
/** After these the agent knows why a conversation is gone. */
const FINISHING: ReadonlySet<Act> = new Set(["end", "end_wrap_up", "transfer", "transfer_out", "leave"]);

export interface Notice {
  key: number;
  error: WireError;
}

interface DeskState {
  link: LinkState;
  agent: AgentView | null;
  offers: OfferView[];
  invitations: InvitationView[];
  conversations: ConversationView[];
  ended: ConversationView[];
  overview: Overview | null;
  config: ConfigView;
  selected: number | null;
  typing: Set<number>;
  /** Actions under way, as `act` or `act:subject`. */
  pending: Set<string>;
  notices: Notice[];
  /** The agent is writing right now; nothing may change the conversation under their hands. */
  writing: boolean;
  /** The composer shall take the focus as soon as it can; it clears this when it has. */
  focusComposer: boolean;
  /** A supervisor looks at the site instead of a conversation. */
  board: boolean;
}

interface Waiter {
  key: string;
  message: ClientMessage;
  done: (error: WireError | null) => void;
}

export class Desk {
  readonly state: DeskState = reactive({
    link: "connecting",
    agent: null,
    offers: [],
    invitations: [],
    conversations: [],
    ended: [],
    overview: null,
    config: { queues: [], reasons: [], agents: [], channels: [], targets: [] },
    selected: null,
    typing: new Set<number>(),
    pending: new Set<string>(),
    notices: [],
    writing: false,
    focusComposer: false,
    board: false,
  });
  readonly drafts: Drafts;
  readonly files: Files;
  readonly outbox: Outbox;
  readonly threads: Threads;
  readonly parking: Parking;
  readonly lists = new Lists((message) => this.send(message));
  readonly list: ComputedRef<ConversationView[]>;
  readonly current: ComputedRef<ConversationView | null>;
  private link: Link | null = null;
  private readonly waiters = new Map<string, Waiter>();
  private readonly saying = new Map<string, string>();
  /** Requests that were already repeated with a fresh token. */
  private readonly renewed = new Set<string>();
  private readonly catchingUp = new Set<number>();
  private readonly accepted = new Set<number>();
  private readonly finished = new Set<number>();
  private nextNotice = 1;

  /**
   * @param renew - gets a new access token when the server says that this page's has expired
   */
  constructor(
    private readonly storage: KeyValue,
    readonly clock: ServerClock,
    private readonly renew: () => Promise<unknown>,
    private readonly newId: () => string = () => crypto.randomUUID(),
  ) {
    this.drafts = new Drafts(storage);
    this.threads = new Threads(storage, () => this.state.agent?.name ?? null);
    this.parking = new Parking(storage);
    this.files = new Files(newId, (error) => this.notify(error));
    this.outbox = new Outbox(storage, ({ contact, external_id, text }) => {
      const id = this.newId();
      if (!this.send({ type: "say", id, contact, external_id, text })) return false;
      this.saying.set(id, external_id);
      return true;
    });
    const remembered = storage.get(SELECTED);
    this.state.selected = remembered === null ? null : Number(remembered);
    this.list = computed(() => [
      ...this.state.conversations.filter(({ parked }) => !parked),
      ...this.state.conversations.filter(({ parked }) => parked),
      ...this.state.ended,
    ]);
    this.current = computed(
      () => this.list.value.find(({ contact }) => contact === this.state.selected) ?? null,
    );
  }

  attach(link: Link): void {
    this.link = link;
  }

  linkChanged(link: LinkState): void {
    this.state.link = link;
    if (link === "connecting") return;
    for (const waiter of [...this.waiters.values()]) waiter.done(OFFLINE);
    this.waiters.clear();
    this.renewed.clear();
    this.saying.clear();
    this.catchingUp.clear();
    this.state.typing.clear();
    if (link === "up") {
      this.outbox.lineUp();
      this.catchUpAll();
      this.lists.lineUp();
    }
  }

  receive(message: ServerMessage): void {
    switch (message.type) {
      case "desk":
        return this.receiveDesk(message.desk);
      case "messages":
        return this.receiveMessages(message);
      case "typing":
        return this.setTyping(message.contact, message.on);
      case "overview":
        this.clock.adopt(message.now_ms);
        this.state.overview = message;
        return;
      case "colleagues":
        return this.lists.receiveColleagues(message);
      case "contacts":
        return this.lists.receiveContacts(message);
      case "result":
        return this.receiveResult(message.id, message.ok ? null : (message.error ?? { code: "error", message: "" }));
      case "bye":
        return;
    }
  }

  /** Asks the server to do something; a refusal becomes a notice. Resolves to whether it was done. */
  act(act: Act, fields: DoFields = {}): Promise<boolean> {
    const key = pendingKey(act, fields);
    if (this.state.pending.has(key)) return Promise.resolve(false);
    const id = this.newId();
    const message: ClientMessage = { type: "do", id, act, ...fields };
    if (!this.send(message)) {
      this.notify(OFFLINE);
      return Promise.resolve(false);
    }
    this.remember(act, fields);
    this.state.pending.add(key);
    return new Promise((resolve) => {
      this.waiters.set(id, {
        key,
        message,
        done: (error) => {
          this.state.pending.delete(key);
          if (error) this.notify(error);
          resolve(error === null);
        },
      });
    });
  }

  isPending(act: Act, fields: DoFields = {}): boolean {
    return this.state.pending.has(pendingKey(act, fields));
  }

  say(contact: number, text: string): void {
    this.outbox.add(contact, text, this.newId(), this.clock.nowMs.value);
    this.drafts.set(contact, "");
  }

  sayTyping(contact: number, on: boolean): void {
    this.send({ type: "typing", contact, on });
  }

  select(contact: number | null, focus = false): void {
    this.state.selected = contact;
    if (contact === null) this.storage.remove(SELECTED);
    else this.storage.set(SELECTED, String(contact));
    this.state.focusComposer = focus;
    if (focus) this.state.board = false;
  }

  /** Removes a greyed conversation from the list. */
  dismiss(contact: number): void {
    this.state.ended = this.state.ended.filter((conversation) => conversation.contact !== contact);
    this.forgetAbsent();
  }

  awaitingSince(contact: number): number | null {
    return awaitingSince(this.parking.after(contact, this.threads.messages(contact)));
  }

  /** The largest file that a channel's customers can be sent; 0 = none. */
  fileBytes(channel: string): number {
    return this.state.config.channels.find(({ name }) => name === channel)?.file_bytes ?? 0;
  }

  /** A colleague's name as people say it. */
  agentTitle(name: string): string {
    return titleText(this.state.config.agents.find((agent) => agent.name === name)?.title, name);
  }

  notify(error: WireError): void {
    const key = this.nextNotice++;
    this.state.notices = [...this.state.notices.slice(-2), { key, error }];
    setTimeout(() => this.dismissNotice(key), NOTICE_MS);
  }

  dismissNotice(key: number): void {
    this.state.notices = this.state.notices.filter((notice) => notice.key !== key);
  }

  private send(message: ClientMessage): boolean {
    return this.link?.send(message) ?? false;
  }

  /** Remembers what this agent did, to know later why a conversation came or went. */
  private remember(act: Act, fields: DoFields): void {
    if (act === "accept") {
      const ringing = [...this.state.offers, ...this.state.invitations];
      const offer = ringing.find((candidate) => candidate.offer === fields.offer);
      if (offer) this.accepted.add(offer.contact);
    }
    if (act === "take_over" && fields.contact !== undefined) this.accepted.add(fields.contact);
    if (FINISHING.has(act) && fields.contact !== undefined) this.finished.add(fields.contact);
  }

  private receiveDesk(desk: DeskView): void {
    const state = this.state;
    this.clock.adopt(desk.now_ms);
    const conversations = keepOrder(state.conversations, inHand(desk));
    state.ended = keepEnded(state.conversations, conversations, state.ended, this.finished);
    state.agent = desk.agent;
    state.offers = desk.offers;
    state.invitations = desk.invitations;
    this.parking.update(conversations);
    state.conversations = conversations;
    this.showAccepted();
    this.forgetAbsent();
    this.catchUpAll();
  }

  private receiveMessages(message: Extract<ServerMessage, { type: "messages" }>): void {
    this.catchingUp.delete(message.contact);
    this.threads.add(message.contact, message.messages);
    for (const { external_id, sender } of message.messages) {
      if (external_id === null || sender !== "agent") continue;
      this.outbox.confirmed(external_id);
      this.files.confirmed(external_id);
    }
    if (message.messages.some(({ sender }) => sender === "customer")) this.setTyping(message.contact, false);
    if (message.messages.length > 0) this.catchUp(message.contact);
  }

  private receiveResult(id: string, error: WireError | null): void {
    if (error?.code === "token_expired" && !this.renewed.has(id)) {
      this.renewed.add(id);
      void this.renew().then(
        () => this.repeat(id),
        () => this.receiveResult(id, OFFLINE),
      );
      return;
    }
    this.renewed.delete(id);
    const waiter = this.waiters.get(id);
    if (waiter) {
      this.waiters.delete(id);
      waiter.done(error);
      return;
    }
    const externalId = this.saying.get(id);
    if (externalId === undefined) return;
    this.saying.delete(id);
    if (error === null) this.outbox.confirmed(externalId);
    else if (error.code === "busy" || error.code === OFFLINE.code) {
      setTimeout(() => this.outbox.again(externalId), BUSY_PAUSE_MS);
    } else this.outbox.refused(externalId, error.message || error.code);
  }

  /** Sends what was refused for want of a fresh token. */
  private repeat(id: string): void {
    const waiter = this.waiters.get(id);
    const externalId = this.saying.get(id);
    if (waiter && !this.send(waiter.message)) this.receiveResult(id, OFFLINE);
    if (externalId !== undefined) {
      this.saying.delete(id);
      this.renewed.delete(id);
      this.outbox.again(externalId);
    }
  }

  private setTyping(contact: number, on: boolean): void {
    if (on) this.state.typing.add(contact);
    else this.state.typing.delete(contact);
  }

  /** Shows a conversation that this agent accepted, unless they are writing to someone else just now. */
  private showAccepted(): void {
    for (const { contact } of this.state.conversations) {
      if (!this.accepted.delete(contact)) continue;
      if (!this.state.writing) this.select(contact, true);
    }
    if (this.current.value === null && !this.state.writing) {
      this.select(nextToShow(this.list.value, (contact) => this.awaitingSince(contact)));
    }
  }

  private forgetAbsent(): void {
    const present = new Set(this.list.value.map(({ contact }) => contact));
    this.threads.keepOnly(present);
    this.drafts.keepOnly(present);
    this.files.keepOnly(present);
    for (const contact of this.finished) if (!present.has(contact)) this.finished.delete(contact);
    const waiting = new Set([...this.state.offers, ...this.state.invitations].map(({ contact }) => contact));
    for (const contact of this.accepted) {
      if (!waiting.has(contact) && !present.has(contact)) this.accepted.delete(contact);
    }
    if (this.current.value === null) this.showAccepted();
  }

  private catchUpAll(): void {
    for (const { contact } of this.state.conversations) this.catchUp(contact);
  }

  /** Asks for what is missing of a conversation, once at a time. */
  private catchUp(contact: number): void {
    const conversation = this.state.conversations.find((candidate) => candidate.contact === contact);
    if (!conversation || this.catchingUp.has(contact)) return;
    const after = completeUpTo(this.threads.messages(contact));
    if (conversation.last_message_position <= after) return;
    if (this.send({ type: "history", contact, after })) this.catchingUp.add(contact);
  }
}

function pendingKey(act: Act, fields: DoFields): string {
  const subject = fields.offer ?? fields.contact ?? fields.agent ?? (act === "hours" ? fields.queue : undefined);
  return subject === undefined ? act : `${act}:${subject}`;
}
