import { describe, expect, it } from "vitest";
import { browserStorage, readJson } from "../src/lib/storage";
import { Drafts } from "../src/store/drafts";
import { memoryStorage } from "./memory";

describe("drafts", () => {
  it("survive a reload, one per contact", () => {
    const storage = memoryStorage();
    const before = new Drafts(storage);
    before.set(7, "您好，正在");
    before.set(8, "one moment");
    const after = new Drafts(storage);
    expect(after.get(7)).toBe("您好，正在");
    expect(after.get(8)).toBe("one moment");
    expect(after.get(9)).toBe("");
  });

  it("leave nothing behind when sent or when the contact is gone", () => {
    const storage = memoryStorage();
    const drafts = new Drafts(storage);
    drafts.set(7, "a");
    drafts.set(8, "b");
    drafts.set(7, "");
    drafts.keepOnly(new Set([9]));
    expect(drafts.get(8)).toBe("");
    expect(storage.data.size).toBe(0);
  });
});

describe("browser storage", () => {
  it("costs nothing but memory where it is refused", () => {
    const refusing = {
      get length(): number {
        throw new Error("denied");
      },
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("full");
      },
      removeItem: () => {
        throw new Error("denied");
      },
    } as unknown as Storage;
    const storage = browserStorage("p.", refusing);
    storage.set("draft.1", "x");
    expect(storage.get("draft.1")).toBeNull();
    expect(storage.keys()).toEqual([]);
  });

  it("reads nothing from broken JSON", () => {
    const storage = memoryStorage();
    const isNumber = (value: unknown): value is number => typeof value === "number";
    storage.set("a", "{");
    storage.set("b", '"text"');
    storage.set("c", "4");
    expect(readJson(storage, "a", isNumber)).toBeNull();
    expect(readJson(storage, "b", isNumber)).toBeNull();
    expect(readJson(storage, "c", isNumber)).toBe(4);
  });
});
