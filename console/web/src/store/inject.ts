/** How components reach the session and the desk. */

import { inject, type InjectionKey } from "vue";
import type { Desk } from "./desk";
import type { Session } from "./session";

export const SESSION: InjectionKey<Session> = Symbol("session");
export const DESK: InjectionKey<Desk> = Symbol("desk");

function required<T>(key: InjectionKey<T>): T {
  const value = inject(key);
  if (value === undefined) throw new Error(`${String(key)} is used outside its provider`);
  return value;
}

export const useSession = (): Session => required(SESSION);
export const useDesk = (): Desk => required(DESK);
