/** What a channel looks like on the desk. */

import type { IconName } from "../components/Icon.vue";

/** By what a channel's name says; an unknown one is shown as writing, which most are. */
export function channelIcon(channel: string): IconName {
  if (/voice|phone|sip|tel/i.test(channel)) return "phone";
  if (/mail/i.test(channel)) return "mail";
  return "chat";
}
