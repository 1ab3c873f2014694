/** What a channel looks like on the desk and on the overview. */

import type { ChannelOverview } from "../api/wire";
import type { IconName } from "../components/Icon.vue";
import { t } from "../i18n";
import { formatMoment } from "./time";

/** By what a channel's name says; an unknown one is shown as writing, which most are. */
export function channelIcon(channel: string): IconName {
  if (/voice|phone|sip|tel/i.test(channel)) return "phone";
  if (/mail/i.test(channel)) return "mail";
  return "chat";
}

/** Whether somebody is there for its customers. */
export function isWell(channel: ChannelOverview): boolean {
  return channel.state === "open" || channel.state === "connected";
}

/** Since when a channel is not there, what becomes of its contacts, and why it failed last. */
export function channelDetail(channel: ChannelOverview, nowMs: number): string {
  const parts: string[] = [];
  const { gone_since_ms: since, kept_until_ms: until } = channel;
  if (!isWell(channel) && since !== null) {
    parts.push(t("channels.since", { time: formatMoment(since, nowMs) }));
    if (until !== null) {
      parts.push(until > nowMs ? t("channels.kept", { time: formatMoment(until, nowMs) }) : t("channels.released"));
    }
  }
  if (channel.reason !== "") parts.push(t("channels.why", { reason: channel.reason }));
  return parts.join(" · ");
}
