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
  | "unlock";

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
}

export interface DeskView {
  agent: AgentView;
  offers: OfferView[];
  conversations: ConversationView[];
  seq: number;
  now_ms: number;
}

export interface MessageView {
  id: number;
  position: number;
  sender: Sender;
  text: string;
  at_ms: number;
  external_id: string | null;
}

export interface QueueOverview {
  name: string;
  title: Title;
  waiting: number;
  longest_wait_ms: number;
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
  contacts: { waiting: number; offered: number; connecting: number; engaged: number };
  /** Names of agents who are locked, for whoever may unlock them. */
  locked_agents?: string[];
}

export interface WireError {
  code: string;
  message: string;
}

export type ServerMessage =
  | { type: "desk"; desk: DeskView }
  | { type: "messages"; contact: number; conversation: string; messages: MessageView[] }
  | { type: "typing"; contact: number; on: boolean }
  | ({ type: "overview" } & Overview)
  | { type: "result"; id: string; ok: boolean; error?: WireError }
  | { type: "bye"; code: string };

export interface DoFields {
  offer?: number;
  contact?: number;
  reason?: string;
  queue?: string;
  ready?: boolean;
  /** Whom a supervisor acts for. */
  agent?: string;
}

export type ClientMessage =
  | ({ type: "do"; id: string; act: Act } & DoFields)
  | { type: "say"; id: string; contact: number; external_id: string; text: string }
  | { type: "typing"; contact: number; on: boolean }
  | { type: "history"; contact: number; after: number };

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

export interface ConfigView {
  queues: Named[];
  reasons: Named[];
  agents: Named[];
}

/** Whether a person may do what supervisors may. */
export const oversees = (user: User): boolean => user.role === "supervisor" || user.role === "admin";
