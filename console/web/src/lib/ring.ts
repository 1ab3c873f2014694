/** What a ring does besides being seen: a soft tone, and the page's title. */

const TONES_HZ = [659.25, 880];
const TONE_S = 0.16;
const REPEAT_MS = 2_400;

/** Plays two soft notes every few seconds while it is on; silent where the browser does not allow sound. */
export class Ringer {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Called from a click or key press, because browsers open sound only then. */
  unlock(): void {
    if (typeof AudioContext === "undefined") return;
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") void this.context.resume().catch(() => undefined);
  }

  set(on: boolean): void {
    if (on === (this.timer !== undefined)) return;
    if (!on) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    this.play();
    this.timer = setInterval(() => this.play(), REPEAT_MS);
  }

  private play(): void {
    const context = this.context;
    if (context === null || context.state !== "running") return;
    TONES_HZ.forEach((frequency, index) => {
      const start = context.currentTime + index * TONE_S;
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      oscillator.type = "sine";
      oscillator.frequency.value = frequency;
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(0.12, start + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, start + TONE_S * 2.2);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(start);
      oscillator.stop(start + TONE_S * 2.4);
    });
  }
}

/** Alternates the title once a second while a text is given, and puts the plain one back. */
export class TitleFlash {
  private timer: ReturnType<typeof setInterval> | undefined;
  private text: string | null = null;
  private flashed = false;

  constructor(
    private readonly show: (title: string) => void,
    private plain: string,
  ) {}

  set(plain: string, text: string | null): void {
    this.plain = plain;
    this.text = text;
    if (text === null) {
      clearInterval(this.timer);
      this.timer = undefined;
      this.flashed = false;
    } else {
      this.timer ??= setInterval(() => this.flip(), 1000);
      this.flashed = true;
    }
    this.render();
  }

  private flip(): void {
    this.flashed = !this.flashed;
    this.render();
  }

  private render(): void {
    this.show(this.flashed && this.text !== null ? this.text : this.plain);
  }
}
