import { describe, expect, it } from "vitest";
import { sendsMessage, shortcutOf, type KeyPress } from "../src/lib/keys";

const press = (fields: Partial<KeyPress>): KeyPress => ({
  key: "Enter",
  code: "Enter",
  keyCode: 13,
  isComposing: false,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  ...fields,
});

describe("Enter", () => {
  it("sends", () => expect(sendsMessage(press({}))).toBe(true));
  it("starts a line with Shift", () => expect(sendsMessage(press({ shiftKey: true }))).toBe(false));
  it("never sends while an input method composes", () => {
    expect(sendsMessage(press({ isComposing: true }))).toBe(false);
    expect(sendsMessage(press({ keyCode: 229 }))).toBe(false);
  });
  it("does not send with another modifier", () => {
    expect(sendsMessage(press({ ctrlKey: true }))).toBe(false);
    expect(sendsMessage(press({ altKey: true }))).toBe(false);
    expect(sendsMessage(press({ metaKey: true }))).toBe(false);
  });
});

describe("shortcuts", () => {
  const alt = (code: string, fields: Partial<KeyPress> = {}) => shortcutOf(press({ key: "å", code, altKey: true, ...fields }));

  it("go by the physical key, whatever it types", () => {
    expect(alt("KeyA")).toBe("accept");
    expect(alt("Digit3")).toBe(2);
    expect(alt("Numpad9")).toBe(8);
    expect(alt("Digit0")).toBeNull();
    expect(alt("KeyP")).toBe("park");
    expect(alt("KeyZ")).toBeNull();
  });
  it("leave AltGr, plain keys and input methods alone", () => {
    expect(alt("KeyA", { ctrlKey: true })).toBeNull();
    expect(alt("KeyA", { altKey: false })).toBeNull();
    expect(alt("KeyA", { isComposing: true })).toBeNull();
  });
});
