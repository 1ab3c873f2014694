import { createApp, h, nextTick, type App } from "vue";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import Picker, { type Pick } from "../src/components/Picker.vue";

describe("picker", () => {
  const items: Pick[] = [
    { key: "a", label: "Ann" },
    { key: "b", label: "Bob", disabled: true },
    { key: "c", label: "Cai" },
  ];
  let app: App;
  let chosen: string[] = [];
  let closed = 0;
  const trigger = (): HTMLButtonElement => document.querySelector("button") as HTMLButtonElement;
  const field = (): HTMLInputElement => document.querySelector("input") as HTMLInputElement;
  const active = (): string => document.querySelector("[aria-selected=true]")?.textContent?.trim() ?? "";
  const key = async (init: KeyboardEventInit): Promise<void> => {
    field().dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
    await nextTick();
  };

  beforeEach(async () => {
    chosen = [];
    closed = 0;
    document.body.innerHTML = "<div id=app></div>";
    const props = {
      label: "Invite",
      groups: [{ title: "", items }],
      searchLabel: "Search",
      empty: "Nobody",
      onChoose: (item: Pick) => chosen.push(item.key),
      onClosed: () => (closed += 1),
    };
    app = createApp({ render: () => h(Picker as never, props, { default: () => "Invite" }) });
    app.mount("#app");
    trigger().click();
    await nextTick();
    await nextTick();
  });
  afterEach(() => app.unmount());

  it("takes the focus to its search, and gives it back on Escape", async () => {
    expect(document.activeElement).toBe(field());
    await key({ key: "Escape" });
    expect(document.querySelector("[role=listbox]")).toBeNull();
    expect(document.activeElement).toBe(trigger());
    expect(closed).toBe(1);
  });

  it("goes by arrows over those who can be chosen, round and round", async () => {
    expect(active()).toBe("Ann");
    await key({ key: "ArrowDown" });
    expect(active()).toBe("Cai");
    await key({ key: "ArrowDown" });
    expect(active()).toBe("Ann");
    await key({ key: "ArrowUp" });
    await key({ key: "Enter" });
    expect(chosen).toEqual(["c"]);
    expect(field()).toBeNull();
  });

  it("names the active one to those who listen", () => {
    const id = field().getAttribute("aria-activedescendant");
    expect(document.getElementById(id as string)?.textContent?.trim()).toBe("Ann");
  });

  it("never takes who cannot be chosen, nor an input method's Enter", async () => {
    (document.querySelector("[aria-disabled=true]") as HTMLElement).click();
    await key({ key: "Enter", isComposing: true });
    await key({ key: "Enter", keyCode: 229 } as KeyboardEventInit);
    expect(chosen).toEqual([]);
  });
});
