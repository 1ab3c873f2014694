/** The HTTP side: signing in, the short-lived access token, and one-use tickets. */

import type { ConfigView, SessionView, SiteView, User, WireError } from "./wire";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | undefined = undefined,
  ) {
    super(message);
  }
}

type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

async function failure(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: WireError & { field?: string } } | null)?.error;
  return new ApiError(
    response.status,
    error?.code ?? `http_${response.status}`,
    error?.message ?? response.statusText,
    error?.field,
  );
}

/** Lets one tab of this browser at a time do something; where browsers have no locks, tabs take their chance. */
function alone<T>(action: () => Promise<T>): Promise<T> {
  const locks = (navigator as { locks?: LockManager }).locks;
  return locks ? locks.request("paidui.refresh", action) : action();
}

/** Holds the access token in memory only; the refresh token is an HttpOnly cookie. */
export class Api {
  private access = "";
  /** How long the newest access token lives, from when it came. */
  lifetimeMs = 0;
  private refreshing: Promise<User> | null = null;

  constructor(private readonly send: Fetch = (input, init) => fetch(input, init)) {}

  async login(login: string, password: string): Promise<User> {
    return this.adopt(await this.post<SessionView>("/api/auth/login", { login, password }));
  }

  /** Renews the access token. Callers at the same time share one request, because the refresh token rotates. */
  refresh(): Promise<User> {
    this.refreshing ??= alone(() => this.post<SessionView>("/api/auth/refresh", {}))
      .then((session) => this.adopt(session))
      .finally(() => {
        this.refreshing = null;
      });
    return this.refreshing;
  }

  async logout(): Promise<void> {
    const token = this.access;
    this.access = "";
    await this.post("/api/auth/logout", {}, token).catch(() => undefined);
  }

  site(): Promise<SiteView> {
    return this.call<SiteView>("GET", "/api/site");
  }

  configView(): Promise<ConfigView> {
    return this.withToken((token) => this.call<ConfigView>("GET", "/api/config-view", undefined, token));
  }

  async ticket(): Promise<string> {
    const answer = await this.withToken((token) => this.post<{ ticket: string }>("/api/ticket", {}, token));
    return answer.ticket;
  }

  sendFile(contact: number, externalId: string, file: File): Promise<void> {
    const asked = new URLSearchParams({ external_id: externalId, name: file.name.replace(/[/\\]/g, "_") });
    const headers = { "content-type": file.type || "application/octet-stream" };
    const init: RequestInit = { method: "POST", headers, body: file };
    return this.withToken(async (token) => {
      await this.ask(`/api/contacts/${contact}/files?${asked}`, init, token);
    });
  }

  readFile(contact: number, id: string): Promise<Blob> {
    const path = `/api/contacts/${contact}/files/${encodeURIComponent(id)}`;
    return this.withToken(async (token) => (await this.ask(path, { method: "GET" }, token)).blob());
  }

  private adopt(session: SessionView): User {
    this.access = session.access;
    this.lifetimeMs = session.expires_in_s * 1000;
    return session.user;
  }

  private async withToken<T>(request: (token: string) => Promise<T>): Promise<T> {
    try {
      return await request(this.access);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      await this.refresh();
      return request(this.access);
    }
  }

  private post<T>(path: string, body: unknown, token = ""): Promise<T> {
    return this.call<T>("POST", path, body, token);
  }

  private async call<T>(method: string, path: string, body?: unknown, token = ""): Promise<T> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.ask(path, init, token);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
  }

  private async ask(path: string, init: RequestInit, token: string): Promise<Response> {
    const headers = new Headers(init.headers);
    if (token) headers.set("authorization", `Bearer ${token}`);
    const response = await this.send(path, { ...init, headers, credentials: "same-origin", cache: "no-store" });
    if (!response.ok) throw await failure(response);
    return response;
  }
}
