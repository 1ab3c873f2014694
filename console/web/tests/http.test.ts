import { describe, expect, it } from "vitest";
import { Api, ApiError } from "../src/api/http";

interface Asked {
  path: string;
  authorization: string | null;
}

describe("api", () => {
  const asked: Asked[] = [];
  const api = (answers: Record<string, (token: string | null) => Response>): Api => {
    asked.length = 0;
    return new Api(async (path, init) => {
      const authorization = new Headers(init?.headers).get("authorization");
      asked.push({ path, authorization });
      return answers[path]?.(authorization) ?? new Response("", { status: 404 });
    });
  };
  const session = (access: string): Response =>
    Response.json({ access, expires_in_s: 600, user: { login: "ann", name: "Ann", role: "agent", agent: "ann" } });
  const refused = (status: number, code: string): Response =>
    Response.json({ error: { code, message: "no", field: "password" } }, { status });

  it("renews a stale access token once and repeats the request", async () => {
    const client = api({
      "/api/auth/login": () => session("old"),
      "/api/auth/refresh": () => session("new"),
      "/api/ticket": (token) => (token === "Bearer new" ? Response.json({ ticket: "t" }) : refused(401, "bad_token")),
    });
    await client.login("ann", "secret");
    expect(await client.ticket()).toBe("t");
    expect(asked.map(({ path }) => path)).toEqual(["/api/auth/login", "/api/ticket", "/api/auth/refresh", "/api/ticket"]);
  });

  it("shares one refresh, because the token in the cookie rotates", async () => {
    const client = api({ "/api/auth/refresh": () => session("new") });
    await Promise.all([client.refresh(), client.refresh()]);
    expect(asked).toHaveLength(1);
    await client.refresh();
    expect(asked).toHaveLength(2);
  });

  it("gives up when the session is over", async () => {
    const client = api({
      "/api/auth/refresh": () => refused(401, "bad_token"),
      "/api/ticket": () => refused(401, "bad_token"),
    });
    await expect(client.ticket()).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(2);
  });

  it("says what the server said, and copes with one that says nothing", async () => {
    const client = api({
      "/api/auth/login": () => refused(401, "bad_credentials"),
      "/api/site": () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }),
    });
    await expect(client.login("ann", "x")).rejects.toMatchObject({ code: "bad_credentials", field: "password" });
    await expect(client.site()).rejects.toMatchObject({ code: "http_502" });
    await expect(client.site()).rejects.toBeInstanceOf(ApiError);
  });
});
