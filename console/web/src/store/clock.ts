/** The server's time as this page knows it, ticking; every timer on the page is drawn from it. */

import { computed, onScopeDispose, ref, type ComputedRef } from "vue";

/** Four times a second: a countdown never shows a second for much longer or shorter than a second. */
const TICK_MS = 250;

export class ServerClock {
  private readonly offsetMs = ref(0);
  private readonly localMs = ref(Date.now());
  private timer: ReturnType<typeof setInterval> | undefined;
  readonly nowMs: ComputedRef<number> = computed(() => this.localMs.value + this.offsetMs.value);

  /** Takes the server's word for what time it is. */
  adopt(serverNowMs: number): void {
    this.localMs.value = Date.now();
    this.offsetMs.value = serverNowMs - this.localMs.value;
  }

  start(): void {
    this.timer ??= setInterval(() => {
      this.localMs.value = Date.now();
    }, TICK_MS);
    onScopeDispose(() => this.stop(), true);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
