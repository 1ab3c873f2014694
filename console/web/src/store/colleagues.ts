/** The colleagues that a picker shows while it is open, searched on the server. */

import { computed, onBeforeUnmount, type ComputedRef } from "vue";
import type { ColleagueView } from "../api/wire";
import type { Desk } from "./desk";

/** A short pause keeps every letter from asking. */
const SEARCH_PAUSE_MS = 120;

export interface Colleagues {
  /** All but this desk's agent. */
  list: ComputedRef<readonly ColleagueView[]>;
  begin: () => void;
  look: (search: string) => void;
  stop: () => void;
}

/** For a component that lists colleagues while it is open. */
export function useColleagues(desk: Desk): Colleagues {
  let pause: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    clearTimeout(pause);
    desk.lists.release("colleagues");
  };
  onBeforeUnmount(stop);
  return {
    list: computed(() => (desk.lists.state.colleagues ?? []).filter(({ name }) => name !== desk.state.agent?.name)),
    begin: () => {
      // The focus is the search's now, also when a composer is still to come that was promised it.
      desk.state.focusComposer = false;
      desk.lists.watch("colleagues");
    },
    look: (search) => {
      clearTimeout(pause);
      pause = setTimeout(() => desk.lists.watch("colleagues", search), SEARCH_PAUSE_MS);
    },
    stop,
  };
}
