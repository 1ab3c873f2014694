/** The messages of the console's WebSocket and HTTP interface. */

export type Presence = "signed_out" | "not_ready" | "ready";
export type ConversationState = "connecting" | "engaged" | "ended" | "wrap_up";
export type Sender = "customer" | "agent" | "system";
export type Act =
  | "sign_in"
  | "sign_out"
  | "ready"
  | "not_ready"
  | "accept"
  | "decline"
  | "end"
  | "end_wrap_up"
  | "transfer"
  | "transfer_out"
  | "hold"
  | "resume"
  | "park"
  | "unpark"
  | "invite"
  | "leave"
  | "take_over"
  | "move"
  | "change"
  | "release"
  | "unlock"
  | "hours";

/** Whether a queue is open; one that is closing serves who waits and takes nobody in. */
export type Hours = "open" | "closing" | "closed";

/** A title is one text, or one text per language. */
export type Title = string | Readonly<Record<string, string>>;

export interface AgentView {
  name: string;
  title: Title;
  presence: Presence;
  reason: string | null;
  signing_out: boolean;
  locked: boolean;
  misses: number;
  idle_since_ms: number;
  /** When it was signed out because nobody was at its desk; null = it was not. */
  lost_at_ms: number | null;
}

export interface OfferView {
  offer: number;
  contact: number;
  channel: string;
  queue: string;
  queue_title: Title;
  customer: string | null;
  deadline_ms: number;
  enqueued_at_ms: number;
  preview: string | null;
}

/** A colleague who has been asked to join a conversation. */
export interface InvitedView {
  agent: string;
  deadline_ms: number;
}

export interface ConversationView {
  contact: number;
  conversation: string;
  channel: string;
  queue: string;
  queue_title: Title;
  customer: string | null;
  state: ConversationState;
  since_ms: number;
  wrap_up_deadline_ms: number | null;
  last_message_position: number;
  /** Who serves it where that is not this desk's agent: a conversation joined, or passed on. */
  agent: string | null;
  on_hold: boolean;
  parked: boolean;
  /** The agents who are in it beside this one and beside who serves it. */
  participants: string[];
  invited: InvitedView[];
}

export interface InvitationView {
  offer: number;
  contact: number;
  channel: string;
  queue: string;
  queue_title: Title;
  customer: string | null;
  /** Who invites. */
  agent: string;
  deadline_ms: number;
}

/** A conversation that `agent` serves and this desk's agent has joined. */
export interface JoinedView {
  contact: number;
  conversation: string;
  channel: string;
  queue: string;
  queue_title: Title;
  customer: string | null;
  agent: string;
  since_ms: number;
  last_message_position: number;
  on_hold: boolean;
  participants: string[];
  invited: InvitedView[];
}

export interface DeskView {
  agent: AgentView;
  offers: OfferView[];
  conversations: ConversationView[];
  invitations: InvitationView[];
  joined: JoinedView[];
  seq: number;
  now_ms: number;
}

/** A file that came with a message; `image`: it may be shown in place. */
export interface FileView {
  id: string;
  name: string;
  size: number;
  image: boolean;
}

export interface MessageView {
  id: number;
  position: number;
  sender: Sender;
  text: string;
  at_ms: number;
  external_id: string | null;
  /** Which of the agents wrote it. */
  agent: string | null;
  /** What came with it; beside files the text may be empty. */
  files: FileView[];
}

export interface QueueOverview {
  name: string;
  title: Title;
  waiting: number;
  longest_wait_ms: number;
  hours: Hours;
}

export interface ChannelOverview {
  name: string;
  title: Title;
  /** The last two are those of a plugin in another process. */
  state: "starting" | "open" | "failed" | "connected" | "gone";
  /** Why a hosted channel failed last, and how often it has. */
  reason: string;
  failures: number;
  /** Since when nobody is there for its customers, and until when its contacts are kept; null = for ever. */
  gone_since_ms: number | null;
  kept_until_ms: number | null;
}

export interface AgentCounts {
  ready: number;
  talking: number;
  wrap_up: number;
  not_ready: number;
  locked: number;
  signed_out: number;
  ringing: number;
}

export interface Overview {
  now_ms: number;
  queues: QueueOverview[];
  agents: AgentCounts;
  contacts: { waiting: number; offered: number; connecting: number; engaged: number; scheduled?: number };
  /** Names of agents who are locked, for whoever may unlock them. */
  locked_agents?: string[];
  /** The site is about to stop and takes nobody new in. */
  draining?: boolean;
  /** For who oversees. */
  channels?: ChannelOverview[];
}

export interface ColleagueView {
  name: string;
  title: Title;
  state: keyof AgentCounts;
  /** In hand now. */
  contacts: number;
  /** Whether the agent can be invited. */
  reachable: boolean;
}

export interface ContactView {
  contact: number;
  channel: string;
  queue: string;
  customer: string | null;
  state: "waiting" | "offered" | "connecting" | "engaged" | "scheduled";
  agent: string | null;
  participants: string[];
  on_hold: boolean;
  parked: boolean;
  /** Since when it is in conversation or waits; of a scheduled one, from when. */
  since_ms: number;
  /** Contacts before it in its queue, while it waits. */
  position: number | null;
  /** How long it will probably go on waiting, from and to; null when it cannot be told. */
  wait_ms: [number, number] | null;
}

/** A list that the server keeps true while it is watched. */
export type Watched = "colleagues" | "contacts";

export interface WireError {
  code: string;
  message: string;
}

export type ServerMessage =
  | { type: "desk"; desk: DeskView }
  | { type: "messages"; contact: number; conversation: string; messages: MessageView[] }
  | { type: "typing"; contact: number; on: boolean }
  | ({ type: "overview" } & Overview)
  | { type: "colleagues"; search: string; agents: ColleagueView[]; more: number }
  | { type: "contacts"; contacts: ContactView[]; more: number }
  | { type: "result"; id: string; ok: boolean; error?: WireError }
  | { type: "bye"; code: string };

export interface DoFields {
  offer?: number;
  contact?: number;
  reason?: string;
  queue?: string;
  ready?: boolean;
  /** Whom a supervisor acts for, or who is invited. */
  agent?: string;
  target?: string;
  head_start_ms?: number;
  hours?: Hours;
}

export type ClientMessage =
  | ({ type: "do"; id: string; act: Act } & DoFields)
  | { type: "say"; id: string; contact: number; external_id: string; text: string }
  | { type: "typing"; contact: number; on: boolean }
  | { type: "history"; contact: number; after: number }
  | { type: "watch"; what: Watched | null; search: string };

export interface User {
  login: string;
  name: string;
  role: "agent" | "supervisor" | "analyst" | "admin";
  agent: string | null;
}

export interface SessionView {
  access: string;
  /** How long the access token lives. */
  expires_in_s: number;
  user: User;
}

export interface SiteView {
  name: string;
  title: Title;
  languages?: string[];
}

export interface Named {
  name: string;
  title: Title;
}

export interface ChannelNamed extends Named {
  /** One at a time, such as a call. */
  exclusive: boolean;
  /** The largest file that its customers can be sent; 0 = none. */
  file_bytes: number;
}

export interface ConfigView {
  queues: Named[];
  reasons: Named[];
  agents: Named[];
  channels: ChannelNamed[];
  /** Places outside. */
  targets: Named[];
}

/** Whether a person may do what supervisors may. */
export const oversees = (user: User): boolean => user.role === "supervisor" || user.role === "admin";
