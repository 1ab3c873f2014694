import { beforeEach, describe, expect, it } from "vitest";
import type { Link } from "../src/api/socket";
import type { ClientMessage, ConversationView, OfferView } from "../src/api/wire";
import { ServerClock } from "../src/store/clock";
import { Desk } from "../src/store/desk";
import { memoryStorage } from "./memory";
import { conversation, deskView } from "./views";

const offer = (contact: number): OfferView => ({
  offer: contact + 100,
  contact,
  channel: "webchat",
  queue: "cards",
  queue_title: "Cards",
  customer: null,
  deadline_ms: 20_000,
  enqueued_at_ms: 0,
  preview: null,
});

describe("desk", () => {
  let sent: ClientMessage[] = [];
  let desk: Desk;
  let up = true;
  let renew: () => Promise<unknown> = async () => undefined;
  let storage = memoryStorage();
  const open = (): Desk => {
    let id = 0;
    const opened = new Desk(storage, new ServerClock(), () => renew(), () => `id-${++id}`);
    opened.attach({
      send: (message: ClientMessage) => {
        if (up) sent.push(message);
        return up;
      },
    } as Link);
    opened.linkChanged("up");
    return opened;
  };
  const show = (conversations: ConversationView[], offers: OfferView[] = []): void => {
    desk.receive({ type: "desk", desk: deskView({ conversations, offers }) });
  };
  const of = (type: ClientMessage["type"]): ClientMessage[] => sent.filter((message) => message.type === type);

  beforeEach(() => {
    sent = [];
    up = true;
    storage = memoryStorage();
    desk = open();
  });

  it("shows the first conversation, and keeps it when others come", () => {
    show([conversation(1)]);
    show([conversation(1), conversation(2)]);
    expect(desk.state.selected).toBe(1);
    expect(desk.state.focusComposer).toBe(false);
  });

  it("moves to the accepted conversation, with the focus", async () => {
    show([conversation(1)], [offer(2)]);
    const done = desk.act("accept", { offer: 102 });
    desk.receive({ type: "result", id: "id-1", ok: true });
    expect(await done).toBe(true);
    show([conversation(1), conversation(2)]);
    expect(desk.state.selected).toBe(2);
    expect(desk.state.focusComposer).toBe(true);
  });

  it("changes nothing under the hands of an agent who is writing", () => {
    show([conversation(1)], [offer(2)]);
    desk.state.writing = true;
    void desk.act("accept", { offer: 102 });
    show([conversation(1), conversation(2)]);
    expect(desk.state.selected).toBe(1);
    expect(desk.state.focusComposer).toBe(false);
  });

  it("remembers over a reload which conversation was shown and what was typed", () => {
    show([conversation(1), conversation(2)]);
    desk.select(2);
    desk.drafts.set(2, "half a sent");
    desk = open();
    show([conversation(1), conversation(2)]);
    expect(desk.state.selected).toBe(2);
    expect(desk.drafts.get(2)).toBe("half a sent");
  });

  it("asks for the history that it lacks, once, and again after a break", () => {
    show([conversation(1, { last_message_position: 3 })]);
    show([conversation(1, { last_message_position: 3 })]);
    expect(of("history")).toEqual([{ type: "history", contact: 1, after: 0 }]);
    desk.linkChanged("down");
    desk.linkChanged("up");
    expect(of("history")).toHaveLength(2);
  });

  it("says the same message again after a break, and drops it when it comes back stored", () => {
    show([conversation(1)]);
    desk.say(1, "hello");
    const first = of("say")[0];
    desk.linkChanged("down");
    desk.linkChanged("up");
    const again = of("say")[1];
    expect(again).toMatchObject({ contact: 1, text: "hello" });
    expect((again as { external_id: string }).external_id).toBe((first as { external_id: string }).external_id);
    const external_id = (first as { external_id: string }).external_id;
    desk.receive({
      type: "messages",
      contact: 1,
      conversation: "c1",
      messages: [{ id: 9, position: 1, sender: "agent", text: "hello", at_ms: 1, external_id, agent: null, files: [] }],
    });
    expect(desk.outbox.items).toEqual([]);
  });

  it("keeps a conversation that the customer ended, greyed, until the agent has seen it", () => {
    show([conversation(1), conversation(2)]);
    show([conversation(2)]);
    expect(desk.list.value.map(({ contact, state }) => [contact, state])).toEqual([
      [2, "engaged"],
      [1, "ended"],
    ]);
    desk.dismiss(1);
    expect(desk.list.value.map(({ contact }) => contact)).toEqual([2]);
  });

  it("lets a conversation go that the agent finished, and shows who waits longest", () => {
    show([conversation(1), conversation(2), conversation(3)]);
    const customer = { id: 1, position: 1, sender: "customer" as const, text: "?", external_id: null, agent: null, files: [] };
    desk.receive({ type: "messages", contact: 2, conversation: "c2", messages: [{ ...customer, at_ms: 50 }] });
    desk.receive({ type: "messages", contact: 3, conversation: "c3", messages: [{ ...customer, at_ms: 40 }] });
    void desk.act("end", { contact: 1 });
    show([conversation(2), conversation(3)]);
    expect(desk.list.value.map(({ contact }) => contact)).toEqual([2, 3]);
    expect(desk.state.selected).toBe(3);
  });

  it("reports a refusal once and frees the button", async () => {
    show([], [offer(2)]);
    const done = desk.act("accept", { offer: 102 });
    expect(desk.isPending("accept", { offer: 102 })).toBe(true);
    expect(await desk.act("accept", { offer: 102 })).toBe(false);
    desk.receive({ type: "result", id: "id-1", ok: false, error: { code: "offer_expired", message: "late" } });
    expect(await done).toBe(false);
    expect(desk.isPending("accept", { offer: 102 })).toBe(false);
    expect(desk.state.notices.map(({ error }) => error.code)).toEqual(["offer_expired"]);
  });

  it("repeats an act and a message once with a fresh token", async () => {
    let renewals = 0;
    renew = async () => (renewals += 1);
    show([conversation(1)]);
    const done = desk.act("not_ready");
    desk.say(1, "hello");
    const [act, say] = [of("do")[0] as { id: string }, of("say")[0] as { id: string }];
    for (const { id } of [act, say]) {
      desk.receive({ type: "result", id, ok: false, error: { code: "token_expired", message: "" } });
    }
    await Promise.resolve();
    await Promise.resolve();
    expect(renewals).toBe(2);
    expect(of("do")).toEqual([of("do")[0], of("do")[0]]);
    expect(of("say")).toHaveLength(2);
    desk.receive({ type: "result", id: act.id, ok: false, error: { code: "token_expired", message: "" } });
    expect(await done).toBe(false);
    expect(renewals).toBe(2);
  });

  it("does not pretend to act while the line is down", async () => {
    up = false;
    expect(await desk.act("ready")).toBe(false);
    expect(desk.state.notices.map(({ error }) => error.code)).toEqual(["offline"]);
    expect(desk.isPending("ready")).toBe(false);
  });
});
