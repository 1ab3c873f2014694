import { createApp, nextTick, type App } from "vue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Link } from "../src/api/socket";
import type { ClientMessage } from "../src/api/wire";
import Composer from "../src/components/Composer.vue";
import { ServerClock } from "../src/store/clock";
import { Desk } from "../src/store/desk";
import { DESK } from "../src/store/inject";
import { memoryStorage } from "./memory";
import { conversation } from "./views";

describe("composer", () => {
  const shown = conversation(4, { customer: "王芳" });
  let sent: ClientMessage[] = [];
  let desk: Desk;
  let app: App;
  const area = (): HTMLTextAreaElement => document.querySelector("textarea") as HTMLTextAreaElement;
  const said = (): string[] => sent.flatMap((message) => (message.type === "say" ? [message.text] : []));
  const key = (init: KeyboardEventInit): KeyboardEvent => {
    const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
    area().dispatchEvent(event);
    return event;
  };

  beforeEach(async () => {
    sent = [];
    document.body.innerHTML = "<div id=app></div>";
    desk = new Desk(memoryStorage(), new ServerClock(), async () => undefined);
    desk.attach({ send: (message: ClientMessage) => sent.push(message) > 0 } as unknown as Link);
    app = createApp(Composer, { conversation: shown });
    app.provide(DESK, desk);
    app.mount("#app");
    area().value = "nihao";
    area().dispatchEvent(new Event("input"));
    await nextTick();
  });
  afterEach(() => app.unmount());

  it("sends on Enter and is empty afterwards", async () => {
    expect(key({ key: "Enter" }).defaultPrevented).toBe(true);
    await nextTick();
    expect(said()).toEqual(["nihao"]);
    expect(area().value).toBe("");
  });

  it("leaves the Enter of an input method alone", () => {
    expect(key({ key: "Enter", isComposing: true }).defaultPrevented).toBe(false);
    expect(said()).toEqual([]);
    expect(desk.drafts.get(4)).toBe("nihao");
  });

  it("leaves Shift+Enter to the text field", () => {
    expect(key({ key: "Enter", shiftKey: true }).defaultPrevented).toBe(false);
    expect(said()).toEqual([]);
  });

  it("sends no blank message", () => {
    area().value = "  \n ";
    area().dispatchEvent(new Event("input"));
    key({ key: "Enter" });
    expect(said()).toEqual([]);
  });
});
