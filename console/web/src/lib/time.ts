/** Durations as an agent reads them. */

const pad = (value: number): string => String(value).padStart(2, "0");

/** `m:ss` below an hour, `h:mm:ss` above; a duration that has not begun reads 0:00. */
export function formatDuration(durationMs: number): string {
  const total = Math.max(0, Math.floor(durationMs / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = total % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds)}` : `${minutes}:${pad(seconds)}`;
}

/** Whole seconds that are left, rounded up so that 0 is shown only when the time is over. */
export function secondsLeft(deadlineMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
}

/** The part of `totalMs` that is left, 0..1. */
export function fractionLeft(deadlineMs: number, nowMs: number, totalMs: number): number {
  if (totalMs <= 0) return 0;
  return Math.min(1, Math.max(0, (deadlineMs - nowMs) / totalMs));
}

/** The wall-clock time of a message, `14:05`. */
export function formatClock(atMs: number): string {
  const at = new Date(atMs);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** A time ahead: `14:05` today, `11-23 14:05` on another day. */
export function formatMoment(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const day = at.toDateString() === new Date(nowMs).toDateString() ? "" : `${pad(at.getMonth() + 1)}-${pad(at.getDate())} `;
  return `${day}${formatClock(atMs)}`;
}
