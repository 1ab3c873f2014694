/** What each shortcut does to the desk. */

import type { ConversationView } from "../api/wire";
import type { Shortcut } from "../lib/keys";
import { isJoined } from "./conversations";
import type { Desk } from "./desk";

export interface PageActions {
  presence: () => void;
  end: () => void;
  invite: () => void;
  transfer: () => void;
  board: () => void;
  help: () => void;
}

/** The engaged conversations whose customer waits, longest first. */
function waitingContacts(desk: Desk): number[] {
  return desk.list.value
    .filter(({ state }) => state === "engaged")
    .map(({ contact }) => ({ contact, since: desk.awaitingSince(contact) }))
    .filter((item): item is { contact: number; since: number } => item.since !== null)
    .sort((a, b) => a.since - b.since)
    .map(({ contact }) => contact);
}

export function toggleHold(desk: Desk, { contact, on_hold }: ConversationView): void {
  void desk.act(on_hold ? "resume" : "hold", { contact });
}

export function togglePark(desk: Desk, { contact, parked }: ConversationView): void {
  if (parked) desk.select(contact, true);
  void desk.act(parked ? "unpark" : "park", { contact });
}

export function runShortcut(
  desk: Desk,
  shortcut: Shortcut | number,
  ringing: readonly { offer: number }[],
  page: PageActions,
): void {
  if (typeof shortcut === "number") {
    const conversation = desk.list.value[shortcut];
    if (conversation) desk.select(conversation.contact, true);
    return;
  }
  const offer = ringing[0]?.offer;
  // What is not shown is not acted on.
  const current = desk.state.board ? null : desk.current.value;
  const engaged = current?.state === "engaged" ? current : null;
  switch (shortcut) {
    case "accept":
    case "decline":
      if (offer !== undefined) void desk.act(shortcut, { offer });
      return;
    case "next_waiting": {
      const waiting = waitingContacts(desk);
      const next = waiting.find((contact) => contact !== desk.state.selected) ?? waiting[0];
      if (next !== undefined) desk.select(next, true);
      return;
    }
    case "done": {
      const wrapUp =
        current?.state === "wrap_up" ? current : desk.state.conversations.find(({ state }) => state === "wrap_up");
      if (wrapUp) void desk.act("end_wrap_up", { contact: wrapUp.contact });
      return;
    }
    case "hold":
      if (engaged && !isJoined(engaged)) toggleHold(desk, engaged);
      return;
    case "park":
      if (engaged && !isJoined(engaged)) togglePark(desk, engaged);
      return;
    case "leave":
      if (engaged && (isJoined(engaged) || engaged.participants.length > 0)) {
        void desk.act("leave", { contact: engaged.contact });
      }
      return;
    case "invite":
      return page.invite();
    case "transfer":
      return page.transfer();
    case "board":
      return page.board();
    case "presence":
      return page.presence();
    case "end":
      return page.end();
    case "help":
      return page.help();
  }
}
