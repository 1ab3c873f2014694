/** What the server would send, for tests. */

import type { ColleagueView, ConversationView, DeskView, InvitationView, JoinedView, MessageView } from "../src/api/wire";

const of = (contact: number) => ({
  contact,
  channel: "webchat",
  queue: "cards",
  queue_title: "Cards",
  customer: `Customer ${contact}`,
});

export const conversation = (contact: number, fields: Partial<ConversationView> = {}): ConversationView => ({
  ...of(contact),
  conversation: `c${contact}`,
  state: "engaged",
  since_ms: 0,
  wrap_up_deadline_ms: null,
  last_message_position: 0,
  agent: null,
  on_hold: false,
  parked: false,
  participants: [],
  invited: [],
  ...fields,
});

export const joined = (contact: number, fields: Partial<JoinedView> = {}): JoinedView => ({
  ...of(contact),
  conversation: `c${contact}`,
  agent: "li_na",
  since_ms: 0,
  last_message_position: 0,
  on_hold: false,
  participants: [],
  invited: [],
  ...fields,
});

export const invitation = (contact: number): InvitationView => ({
  ...of(contact),
  offer: contact + 200,
  agent: "li_na",
  deadline_ms: 20_000,
});

export const colleague = (name: string, fields: Partial<ColleagueView> = {}): ColleagueView => ({
  name,
  title: name,
  state: "ready",
  contacts: 0,
  reachable: true,
  ...fields,
});

export const message = (position: number, fields: Partial<MessageView> = {}): MessageView => ({
  id: position,
  position,
  sender: "customer",
  text: `m${position}`,
  at_ms: position * 1000,
  external_id: null,
  agent: null,
  files: [],
  ...fields,
});

export const deskView = (fields: Partial<DeskView> = {}): DeskView => ({
  agent: {
    name: "chen_wei",
    title: "陈伟",
    presence: "ready",
    reason: null,
    signing_out: false,
    locked: false,
    misses: 0,
    idle_since_ms: 0,
    lost_at_ms: null,
  },
  offers: [],
  conversations: [],
  invitations: [],
  joined: [],
  seq: 1,
  now_ms: 1_000,
  ...fields,
});
