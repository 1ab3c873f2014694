/** Which conversations the desk lists: the server's, and those that ended before the agent could see why. */

import type { ConversationView, DeskView, JoinedView } from "../api/wire";

/** More than this many ended conversations are clutter, so the oldest go. */
const KEPT_ENDED = 12;

/**
 * The ended conversations to go on showing, greyed, after the server's list changed.
 *
 * @param before - the server's list until now
 * @param after - the server's list from now on
 * @param ended - the greyed ones until now
 * @param finished - contacts that this agent ended, wrapped up or transferred: those simply go
 */
export function keepEnded(
  before: readonly ConversationView[],
  after: readonly ConversationView[],
  ended: readonly ConversationView[],
  finished: ReadonlySet<number>,
): ConversationView[] {
  const present = new Set(after.map((conversation) => conversation.contact));
  const vanished = before
    .filter(({ contact, state }) => !present.has(contact) && !finished.has(contact) && state !== "connecting")
    .map((conversation): ConversationView => ({ ...conversation, state: "ended", wrap_up_deadline_ms: null }));
  const vanishedContacts = new Set(vanished.map(({ contact }) => contact));
  const kept = ended.filter(({ contact }) => !present.has(contact) && !vanishedContacts.has(contact));
  return [...kept, ...vanished].slice(-KEPT_ENDED);
}

/** A conversation that a colleague serves, as the list shows it. */
function joined(view: JoinedView): ConversationView {
  return { ...view, state: "engaged", wrap_up_deadline_ms: null, parked: false };
}

/** Everything that a desk has in hand: what the agent serves, wraps up, and has joined. */
export function inHand(desk: DeskView): ConversationView[] {
  return onePerContact([...desk.conversations, ...desk.joined.map(joined)]);
}

/** Whether the agent is in a conversation that a colleague serves. */
export function isJoined({ state, agent }: ConversationView): boolean {
  return state === "engaged" && agent !== null;
}

/** What was in the list stays where it was, so that joining, taking over and wrapping up move nothing. */
export function keepOrder(
  before: readonly ConversationView[],
  after: readonly ConversationView[],
): ConversationView[] {
  const places = new Map(before.map(({ contact }, index) => [contact, index]));
  const place = ({ contact }: ConversationView): number => places.get(contact) ?? before.length;
  return [...after].sort((a, b) => place(a) - place(b));
}

/** A transferred contact can come back while its wrap-up still runs; the conversation that goes on is the one to show. */
export function onePerContact(list: readonly ConversationView[]): ConversationView[] {
  const alive = new Set(list.filter(({ state }) => state !== "wrap_up").map(({ contact }) => contact));
  return list.filter(({ contact, state }) => state !== "wrap_up" || !alive.has(contact));
}

/** Whom to show when the shown conversation is gone: who waits longest for an answer, else the first that goes on. */
export function nextToShow(
  list: readonly ConversationView[],
  awaiting: (contact: number) => number | null,
): number | null {
  const engaged = list.filter(({ state }) => state === "engaged");
  const waiting = engaged
    .map(({ contact }) => ({ contact, since: awaiting(contact) }))
    .filter((item): item is { contact: number; since: number } => item.since !== null)
    .sort((a, b) => a.since - b.since);
  return waiting[0]?.contact ?? engaged[0]?.contact ?? list[0]?.contact ?? null;
}
