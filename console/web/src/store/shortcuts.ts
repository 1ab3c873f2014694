/** What each shortcut does to the desk. */

import type { OfferView } from "../api/wire";
import type { Shortcut } from "../lib/keys";
import type { Desk } from "./desk";

export interface PageActions {
  presence: () => void;
  end: () => void;
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

export function runShortcut(
  desk: Desk,
  shortcut: Shortcut | number,
  offers: readonly OfferView[],
  page: PageActions,
): void {
  if (typeof shortcut === "number") {
    const conversation = desk.list.value[shortcut];
    if (conversation) desk.select(conversation.contact, true);
    return;
  }
  const offer = offers[0]?.offer;
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
      const current = desk.current.value;
      const wrapUp =
        current?.state === "wrap_up" ? current : desk.state.conversations.find(({ state }) => state === "wrap_up");
      if (wrapUp) void desk.act("end_wrap_up", { contact: wrapUp.contact });
      return;
    }
    case "presence":
      return page.presence();
    case "end":
      return page.end();
    case "help":
      return page.help();
  }
}
