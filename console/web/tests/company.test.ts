import { beforeEach, describe, expect, it } from "vitest";
import type { Link } from "../src/api/socket";
import type { ClientMessage, DeskView } from "../src/api/wire";
import { ServerClock } from "../src/store/clock";
import { isJoined } from "../src/store/conversations";
import { Desk } from "../src/store/desk";
import { inPlace } from "../src/store/lists";
import { runShortcut } from "../src/store/shortcuts";
import { memoryStorage } from "./memory";
import { colleague, conversation, deskView, invitation, joined, message } from "./views";

let sent: ClientMessage[] = [];
let storage = memoryStorage();
let desk: Desk;

function open(): Desk {
  const opened = new Desk(storage, new ServerClock(), async () => undefined);
  opened.attach({ send: (one: ClientMessage) => sent.push(one) > 0 } as unknown as Link);
  opened.linkChanged("up");
  return opened;
}
const show = (fields: Partial<DeskView>): void => desk.receive({ type: "desk", desk: deskView(fields) });
const hear = (contact: number, ...messages: ReturnType<typeof message>[]): void =>
  desk.receive({ type: "messages", contact, conversation: `c${contact}`, messages });
const contacts = (): number[] => desk.list.value.map(({ contact }) => contact);
const acts = (): unknown[] => sent.flatMap((one) => (one.type === "do" ? [one.act] : []));
const press = (shortcut: Parameters<typeof runShortcut>[1], ringing: { offer: number }[] = []): void => {
  const nothing = (): void => undefined;
  const page = { presence: nothing, end: nothing, invite: nothing, transfer: nothing, board: nothing, help: nothing };
  runShortcut(desk, shortcut, ringing, page);
};

beforeEach(() => {
  sent = [];
  storage = memoryStorage();
  desk = open();
});

describe("a conversation with colleagues", () => {
  it("is shown when its invitation is accepted, and stays in its place when it is handed over", () => {
    show({ conversations: [conversation(1)], invitations: [invitation(2)] });
    expect(desk.state.selected).toBe(1);
    void desk.act("accept", { offer: 202 });
    show({ conversations: [conversation(1)], joined: [joined(2)] });
    expect(desk.state.selected).toBe(2);
    expect(desk.list.value.map(isJoined)).toEqual([false, true]);
    show({ conversations: [conversation(2), conversation(1)] });
    expect(contacts()).toEqual([1, 2]);
    expect(desk.list.value.some(isJoined)).toBe(false);
  });

  it("goes without a trace when the agent leaves, and greyed when it ends for everybody", () => {
    show({ joined: [joined(2), joined(3)] });
    void desk.act("leave", { contact: 2 });
    show({ joined: [joined(3)] });
    expect(contacts()).toEqual([3]);
    show({});
    expect(desk.list.value.map(({ contact, state }) => [contact, state])).toEqual([[3, "ended"]]);
  });

  it("asks for the messages that were there before", () => {
    show({ joined: [joined(2, { last_message_position: 3 })] });
    expect(sent).toContainEqual({ type: "history", contact: 2, after: 0 });
  });

  it("is left by key only where somebody is there to go on", () => {
    show({ conversations: [conversation(1)] });
    press("leave");
    expect(acts()).toEqual([]);
    show({ conversations: [conversation(1, { participants: ["li_na"] })] });
    press("leave");
    expect(acts()).toEqual(["leave"]);
  });

  it("is not held, parked or ended by a guest", () => {
    show({ joined: [joined(2)] });
    press("hold");
    press("park");
    expect(acts()).toEqual([]);
    press("leave");
    expect(acts()).toEqual(["leave"]);
  });
});

describe("parked", () => {
  const parked = { parked: true, last_message_position: 1 };

  it("stands apart, and only what the customer writes from then on asks for attention", () => {
    show({ conversations: [conversation(1), conversation(2, { last_message_position: 1 }), conversation(3)] });
    hear(2, message(1));
    expect(desk.awaitingSince(2)).toBe(1000);
    show({ conversations: [conversation(1), conversation(2, parked), conversation(3)] });
    expect(contacts()).toEqual([1, 3, 2]);
    expect(desk.awaitingSince(2)).toBeNull();
    hear(2, message(2));
    expect(desk.awaitingSince(2)).toBe(2000);
    press("next_waiting");
    expect(desk.state.selected).toBe(2);
  });

  it("remembers over a reload what was there when it was parked", () => {
    show({ conversations: [conversation(2, parked)] });
    desk = open();
    show({ conversations: [conversation(2, { ...parked, last_message_position: 2 })] });
    hear(2, message(1), message(2));
    expect(desk.awaitingSince(2)).toBe(2000);
    show({ conversations: [conversation(2, { last_message_position: 2 })] });
    expect(desk.awaitingSince(2)).toBe(1000);
    expect(storage.keys().filter((key) => key.startsWith("parked."))).toEqual([]);
  });

  it("and on hold are switched by their keys", () => {
    show({ conversations: [conversation(1)] });
    press("hold");
    press("park");
    show({ conversations: [conversation(1, { on_hold: true, parked: true })] });
    desk.receive({ type: "result", id: (sent[0] as { id: string }).id, ok: true });
    press("hold");
    press("park");
    expect(acts()).toEqual(["hold", "park", "resume", "unpark"]);
  });
});

describe("lists", () => {
  const answer = (search: string, ...agents: ReturnType<typeof colleague>[]): void =>
    desk.receive({ type: "colleagues", search, agents, more: 0 });
  const names = (): string[] => (desk.lists.state.colleagues ?? []).map(({ name }) => name);

  it("change what colleagues do, never where they stand", () => {
    desk.lists.watch("colleagues");
    answer("", colleague("a"), colleague("b"));
    answer("", colleague("b"), colleague("c"), colleague("a", { state: "talking" }));
    expect(names()).toEqual(["a", "b", "c"]);
    expect(desk.lists.state.colleagues?.[0]?.state).toBe("talking");
    expect(inPlace([colleague("x")], [colleague("y")]).map(({ name }) => name)).toEqual(["y"]);
  });

  it("take no answer to an older search, and begin anew with a new one", () => {
    desk.lists.watch("colleagues");
    answer("", colleague("a"), colleague("b"));
    desk.lists.watch("colleagues", "b");
    answer("", colleague("a"), colleague("b"), colleague("z"));
    expect(names()).toEqual(["a", "b"]);
    answer("b", colleague("b"));
    expect(names()).toEqual(["b"]);
  });

  it("are asked for again on a new connection, and not when nobody looks", () => {
    desk.lists.watch("contacts");
    desk.linkChanged("down");
    desk.linkChanged("up");
    expect(sent.filter(({ type }) => type === "watch")).toHaveLength(2);
    desk.lists.release("colleagues");
    desk.lists.release("contacts");
    desk.linkChanged("up");
    expect(sent.filter(({ type }) => type === "watch").at(-1)).toEqual({ type: "watch", what: null, search: "" });
    expect(sent.filter(({ type }) => type === "watch")).toHaveLength(3);
  });
});

describe("a supervisor with a seat", () => {
  it("is led from the overview to what was taken over", () => {
    desk.state.board = true;
    void desk.act("take_over", { contact: 7 });
    show({ conversations: [conversation(7)] });
    expect(desk.state.selected).toBe(7);
    expect(desk.state.board).toBe(false);
  });

  it("acts on no conversation that the overview covers", () => {
    show({ conversations: [conversation(1)] });
    desk.state.board = true;
    press("hold");
    press("park");
    expect(acts()).toEqual([]);
  });

  it("stays at the overview while other conversations come and go", () => {
    desk.state.board = true;
    show({ conversations: [conversation(1)] });
    show({});
    expect(desk.state.board).toBe(true);
  });
});
