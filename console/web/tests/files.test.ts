import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ApiError } from "../src/api/http";
import type { WireError } from "../src/api/wire";
import { Files, formatBytes, type FileApi } from "../src/store/files";

describe("files", () => {
  let asked: [number, string, string][];
  let answers: (Error | null)[];
  let told: WireError[];
  let files: Files;
  const file = (name: string, size = 3): File => new File([new Uint8Array(size)], name);
  const api: FileApi = {
    async sendFile(contact, externalId, sent) {
      asked.push([contact, externalId, sent.name]);
      const answer = answers.shift();
      if (answer) throw answer;
    },
    readFile: async (_, id) => {
      asked.push([0, id, ""]);
      if (id === "gone") throw new ApiError(404, "unknown_attachment", "no");
      return new Blob(["x"], { type: "image/png" });
    },
  };

  beforeEach(() => {
    vi.useFakeTimers();
    [asked, answers, told] = [[], [], []];
    let id = 0;
    files = new Files(() => `id-${++id}`, (error) => told.push(error));
    files.attach(api);
  });
  afterEach(() => vi.useRealTimers());

  it("sends them one after the other, in order", async () => {
    files.add(4, [file("a"), file("b")], 100);
    expect(asked).toHaveLength(1);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([
      [4, "id-1", "a"],
      [4, "id-2", "b"],
    ]);
    expect(files.sending).toEqual([]);
  });

  it("sends again under the same id when the line was down or the server busy", async () => {
    answers = [new TypeError("Failed to fetch"), new ApiError(503, "busy", "")];
    files.add(4, [file("a")], 100);
    await vi.runAllTimersAsync();
    expect(asked.map(([, id]) => id)).toEqual(["id-1", "id-1", "id-1"]);
    expect(files.sending).toEqual([]);
  });

  it("keeps what was refused for the agent, and lets the others go", async () => {
    answers = [new ApiError(409, "wrong_state", "no")];
    files.add(4, [file("a"), file("b")], 100);
    await vi.runAllTimersAsync();
    expect(files.of(4).map((item) => [item.external_id, item.error?.code])).toEqual([["id-1", "wrong_state"]]);
    expect(asked).toHaveLength(2);
    files.retry("id-1");
    await vi.runAllTimersAsync();
    expect(files.sending).toEqual([]);
  });

  it("does not try for ever", async () => {
    answers = Array.from({ length: 9 }, () => new TypeError("gone from the disk"));
    files.add(4, [file("a")], 100);
    await vi.runAllTimersAsync();
    expect(asked).toHaveLength(5);
    expect(files.of(4)[0]?.error?.code).toBe("network");
    files.keepOnly(new Set([5]));
    expect(files.sending).toEqual([]);
  });

  it("says at once what cannot be sent", () => {
    files.add(4, [file("empty", 0), file("large", 101), file("fits", 100)], 100);
    expect(told.map(({ code }) => code)).toEqual(["file_empty", "file_too_large"]);
    expect(asked).toEqual([[4, "id-1", "fits"]]);
  });

  it("fetches a picture once, and again only when that failed", async () => {
    expect(await files.picture(4, "p")).toMatch(/^data:image\/png;base64,/);
    await files.picture(4, "p");
    expect(asked).toHaveLength(1);
    await expect(files.picture(4, "gone")).rejects.toThrow();
    await expect(files.picture(4, "gone")).rejects.toThrow();
    expect(asked).toHaveLength(3);
  });

  it("says how long a file is", () => {
    expect([1, 1500, 5 << 20].map(formatBytes)).toEqual(["1 KB", "1 KB", "5.0 MB"]);
  });

  it("carries the token in a header and the name in the address", async () => {
    const seen: [string, string | null, string | null][] = [];
    const http = new Api(async (path, init) => {
      const headers = new Headers(init?.headers);
      seen.push([path, headers.get("authorization"), headers.get("content-type")]);
      if (path.startsWith("/api/auth")) {
        const user = { login: "ann", name: "Ann", role: "agent", agent: "ann" };
        return Response.json({ access: "t", expires_in_s: 600, user });
      }
      return new Response(null, { status: 204 });
    });
    await http.login("ann", "x");
    await http.sendFile(4, "id-1", new File(["x"], "护照/1.png", { type: "image/png" }));
    const [path, token, type] = seen[1] ?? [];
    expect(path).toBe("/api/contacts/4/files?external_id=id-1&name=%E6%8A%A4%E7%85%A7_1.png");
    expect([token, type]).toEqual(["Bearer t", "image/png"]);
  });
});
