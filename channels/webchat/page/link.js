// One socket that is kept up: back off when it breaks, say hello when it opens.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;

export class Link {
  constructor({ hello, onMessage, onUp, onDown }) {
    Object.assign(this, { hello, onMessage, onUp, onDown });
    this.socket = null;
    this.welcomed = false;
    this.attempt = 0;
    this.timer = 0;
    window.addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${new URL("ws", location.href).pathname}`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", ...this.hello() }));
    socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    socket.onclose = () => this.lost(socket);
  }

  receive(message) {
    if (message.type === "welcome") {
      this.welcomed = true;
      this.attempt = 0;
      this.onUp(message);
    } else {
      this.onMessage(message);
    }
  }

  // Says whether it went out; what did not is said again by whoever said it.
  send(message) {
    if (!this.welcomed || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  lost(socket) {
    if (socket !== this.socket) return;
    this.welcomed = false;
    this.onDown();
    const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.attempt, 10));
    this.attempt += 1;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.open();
    }, full * (0.5 + Math.random() / 2));
  }

  hurry() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.open();
  }
}
