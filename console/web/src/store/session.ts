/** Who is signed in to this page, and the desk that belongs to them. */

import { shallowReactive } from "vue";
import { Api, ApiError } from "../api/http";
import { Link, openSocket } from "../api/socket";
import type { SiteView, User } from "../api/wire";
import { browserStorage } from "../lib/storage";
import { ServerClock } from "./clock";
import { Desk } from "./desk";

/** Set while a refresh cookie may be there; without it the page does not ask in vain. */
const SIGNED_IN = "signed_in";
const RESUME_PAUSE_MS = 2_000;
/** The part of an access token's life after which it is renewed. */
const RENEW_AT = 0.7;
const RENEW_RETRY_MS = 10_000;

interface SessionState {
  phase: "starting" | "login" | "desk";
  user: User | null;
  site: SiteView | null;
  desk: Desk | null;
  /** The session ended by itself; the login page says so. */
  expired: boolean;
}

export class Session {
  readonly state: SessionState = shallowReactive({
    phase: "starting",
    user: null,
    site: null,
    desk: null,
    expired: false,
  });
  private readonly clock = new ServerClock();
  private link: Link | null = null;
  private renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api = new Api(),
    private readonly storage = browserStorage("paidui."),
  ) {}

  /** Goes on with the session of an earlier visit when its cookie is still good. */
  async resume(): Promise<void> {
    this.clock.start();
    void this.loadSite();
    if (this.storage.get(SIGNED_IN) === null) {
      this.state.phase = "login";
      return;
    }
    for (;;) {
      try {
        return this.enter(await this.api.refresh());
      } catch (error) {
        if (error instanceof ApiError && error.status < 500) return this.leave(true);
      }
      // The server is away, as during a restart; the session is as good as before.
      await new Promise((resolve) => setTimeout(resolve, RESUME_PAUSE_MS));
    }
  }

  async login(login: string, password: string): Promise<void> {
    this.enter(await this.api.login(login, password));
    if (this.state.site === null) void this.loadSite();
  }

  async logout(): Promise<void> {
    this.leave(false);
    await this.api.logout();
  }

  /** The page or the network came back. */
  hurry(): void {
    this.link?.hurry();
  }

  private enter(user: User): void {
    const desk = new Desk(browserStorage(`paidui.${user.login}.`), this.clock, () => this.api.refresh());
    const link = new Link({
      ticket: () => this.api.ticket(),
      open: openSocket,
      onMessage: (message) => desk.receive(message),
      onState: (state) => desk.linkChanged(state),
      onExpired: () => this.leave(true),
    });
    desk.attach(link);
    desk.files.attach(this.api);
    this.link = link;
    this.storage.set(SIGNED_IN, "1");
    Object.assign(this.state, { phase: "desk", user, desk, expired: false });
    link.start();
    this.renewLater(this.api.lifetimeMs * RENEW_AT);
    void this.loadConfig(desk);
  }

  /** Renews the access token before it expires, so that the open socket is let go on. */
  private renewLater(delayMs: number): void {
    clearTimeout(this.renewal);
    this.renewal = setTimeout(async () => {
      try {
        await this.api.refresh();
        this.renewLater(this.api.lifetimeMs * RENEW_AT);
      } catch (error) {
        if (error instanceof ApiError && error.status < 500) this.leave(true);
        else this.renewLater(RENEW_RETRY_MS);
      }
    }, delayMs);
  }

  private leave(expired: boolean): void {
    const link = this.link;
    this.link = null;
    link?.stop();
    this.storage.remove(SIGNED_IN);
    clearTimeout(this.renewal);
    Object.assign(this.state, { phase: "login", user: null, desk: null, expired });
  }

  private async loadSite(): Promise<void> {
    this.state.site = await this.api.site().catch(() => null);
  }

  private async loadConfig(desk: Desk): Promise<void> {
    try {
      desk.state.config = await this.api.configView();
    } catch (error) {
      // The link notices a dead session by itself; without the lists only their menus are empty.
      if (error instanceof ApiError) desk.notify({ code: error.code, message: error.message });
    }
  }
}
