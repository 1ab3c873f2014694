/** Lists that the server keeps true while this page watches them. */

import { reactive } from "vue";
import type { ClientMessage, ColleagueView, ContactView, ServerMessage, Watched } from "../api/wire";

interface ListsState {
  /** Null until the first answer to what is watched now. */
  colleagues: ColleagueView[] | null;
  contacts: ContactView[] | null;
  /** How many did not fit into the list. */
  more: number;
}

/** Whoever is in the list stays where they are while it is read; only new ones are added, at the end. */
export function inPlace(before: readonly ColleagueView[], after: readonly ColleagueView[]): ColleagueView[] {
  const now = new Map(after.map((colleague) => [colleague.name, colleague]));
  const kept = before.flatMap(({ name }) => now.get(name) ?? []);
  const known = new Set(kept.map(({ name }) => name));
  return [...kept, ...after.filter(({ name }) => !known.has(name))];
}

export class Lists {
  readonly state: ListsState = reactive({ colleagues: null, contacts: null, more: 0 });
  private what: Watched | null = null;
  private search = "";
  /** The search that the shown colleagues answer. */
  private answered: string | null = null;

  constructor(private readonly send: (message: ClientMessage) => boolean) {}

  /** Asks for a list, in place of the one before; null asks for none. */
  watch(what: Watched | null, search = ""): void {
    if (what !== this.what) Object.assign(this.state, { colleagues: null, contacts: null, more: 0 });
    this.what = what;
    this.search = search;
    this.ask();
  }

  /** Ends the watching of this list, if it is the one that is watched. */
  release(what: Watched): void {
    if (this.what === what) this.watch(null);
  }

  /** A new connection knows nothing of what this page watches. */
  lineUp(): void {
    if (this.what !== null) this.ask();
  }

  receiveColleagues({ search, agents, more }: Extract<ServerMessage, { type: "colleagues" }>): void {
    if (this.what !== "colleagues" || search !== this.search) return;
    const before = this.answered === search ? this.state.colleagues : null;
    this.answered = search;
    this.state.colleagues = inPlace(before ?? [], agents);
    this.state.more = more;
  }

  receiveContacts({ contacts, more }: Extract<ServerMessage, { type: "contacts" }>): void {
    if (this.what !== "contacts") return;
    this.state.contacts = contacts;
    this.state.more = more;
  }

  private ask(): void {
    this.send({ type: "watch", what: this.what, search: this.search });
  }
}
