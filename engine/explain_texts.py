"""The sentences of an explanation, in English and Chinese; `engine.explain_words` fills them in."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]

EVENTS: Final[dict[str, tuple[str, str]]] = {
    "arrived": ("arrived", "到达"),
    "queued": ("waits in {queue}", "进入队列 {queue}"),
    "queued transfer": ("waits in {queue} after a transfer", "转接后进入队列 {queue}"),
    "queued offer_ended": ("back at its place in {queue}", "回到队列 {queue} 的原位"),
    "queued connect_failed": ("back at its place in {queue}", "回到队列 {queue} 的原位"),
    "queued restart": ("back at its place in {queue} after a restart", "重启后回到队列 {queue} 的原位"),
    "blocked queue_full": ("blocked: {queue} was full", "被拒：队列 {queue} 已满"),
    "blocked site_full": ("blocked: the site was full", "被拒：站点已满"),
    "offer_made": (
        "offered to {agent} (offer {offer}, batch {seq})",
        "派给 {agent}（派单 {offer}，批次 {seq}）",
    ),
    "offer_accepted": ("{agent} accepted", "{agent} 应答"),
    "offer_declined": ("{agent} declined {cause}", "{agent} 拒接 {cause}"),
    "offer_expired": ("{agent} did not answer", "{agent} 久不应答"),
    "offer_withdrawn": ("the offer to {agent} was withdrawn", "给 {agent} 的派单已撤回"),
    "connecting": ("is being connected with {agent}", "正在接通 {agent}"),
    "engaged": ("engaged with {agent}", "由 {agent} 服务中"),
    "connect_failed": ("could not be connected with {agent}", "未能接通 {agent}"),
    "abandoned": ("the customer left", "客户放弃"),
    "changed": (
        "a supervisor changed its place or needs: {queue}",
        "班长已修改：{queue}",
    ),
    "withdrawn": ("a supervisor ended it", "班长强拆"),
    "ended": ("served by {agent}", "由 {agent} 服务完毕"),
    "transferred": ("{agent} passed it on to {queue}", "{agent} 转接到 {queue}"),
    "wrap_up_started": ("{agent} wraps up", "{agent} 开始话后处理"),
    "wrap_up_ended": ("{agent} has wrapped up", "{agent} 话后处理结束"),
}

CONDITIONS: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("the contact waits: {state}", "联络在等待：{state}"),
    "queue_skill": (
        "skill {subject}: has {has}, the queue needs {needs}",
        "技能 {subject}：现为 {has}，队列要求 {needs}",
    ),
    "contact_skill": (
        "skill {subject}: has {has}, the contact needs {needs}",
        "技能 {subject}：现为 {has}，联络要求 {needs}",
    ),
    "ready": ("the agent is ready: {presence}", "坐席示闲：{presence}"),
    "staying": ("the agent is not signing out: it is", "坐席未在签出：正在签出"),
    "unlocked": (
        "the agent is not locked: it is, after {has} offers without an answer",
        "坐席未闭锁：已闭锁，连续 {has} 次久不应答",
    ),
    "not_attempted": (
        "the contact has not come back from this agent: it has",
        "联络未曾从该坐席退回：已退回过",
    ),
    "capacity": (
        "units on {subject}: has {has}, needs {needs} ({held} in use)",
        "渠道 {subject} 的容量：共 {has}，需要 {needs}（已占 {held}）",
    ),
    "empty_hands": (
        "nothing in hand, for an exclusive contact: holds {has}",
        "独占联络要求手中无事：已占 {has}",
    ),
    "nothing_exclusive": (
        "nothing exclusive in hand: holds {has} on {subject}",
        "手中无独占联络：在 {subject} 已占 {has}",
    ),
}

FIXES: Final[dict[str, tuple[str, str]]] = {
    "raise_skill": (
        "raise skill {subject} of {agent} from {was} to {to}",
        "把 {agent} 的技能 {subject} 从 {was} 提高到 {to}",
    ),
    "raise_capacity": (
        "raise the capacity of {agent} on {subject} from {was} to {to}, or let it finish",
        "把 {agent} 在 {subject} 的容量从 {was} 提高到 {to}，或等其结束手中联络",
    ),
    "sign_in": ("{agent} signs in, ready", "{agent} 签入并示闲"),
    "make_ready": ("{agent} becomes ready", "{agent} 示闲"),
    "stay": ("{agent} signs in again", "{agent} 重新签入"),
    "unlock": ("a supervisor unlocks {agent}", "班长解锁 {agent}"),
    "ask_again": ("{agent} is asked again {when}", "{when}再次询问 {agent}"),
    "empty_hands": ("{agent} finishes what it has in hand", "{agent} 结束手中一切"),
    "finish_exclusive": ("{agent} finishes what it has on {subject}", "{agent} 结束 {subject} 上的联络"),
    "give_back": ("{agent} declines it, or fails to connect", "{agent} 拒接，或未能接通"),
    "transfer_back": ("{agent} transfers it to the queue", "{agent} 将其转接回队列"),
    "none": ("none: it is over", "无：已经结束"),
}

STATES: Final[tuple[tuple[str, str], ...]] = (
    ("it does", "在等待"),
    ("it is offered to {subject}", "已派给 {subject}"),
    ("it is being connected with {subject}", "正在接通 {subject}"),
    ("{subject} has it", "{subject} 正在服务"),
    ("it was served by {subject}", "已由 {subject} 服务"),
    ("the customer left", "客户已放弃"),
    ("it was blocked", "已被拒"),
)
NAMES: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("waiting", "等待中"),
    "offered": ("offered", "已派单"),
    "connecting": ("connecting", "接通中"),
    "engaged": ("engaged", "服务中"),
    "served": ("served", "已服务"),
    "abandoned": ("abandoned", "已放弃"),
    "blocked": ("blocked", "已被拒"),
    "withdrawn": ("withdrawn", "已强拆"),
    "forgotten": ("forgotten", "已超过保留期"),
}
PRESENCES: Final[tuple[tuple[str, str], ...]] = (
    ("signed out", "已签出"),
    ("not ready {subject}", "示忙 {subject}"),
    ("it is", "是"),
)
TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": (
        "contact {contact} · {channel} · {queue} · {state}",
        "联络 {contact} · {channel} · {queue} · {state}",
    ),
    "why": ("Why {agent}?", "为什么是 {agent}？"),
    "only": ("  Nobody else could take it at that moment.", "  当时只有该坐席可以接。"),
    "candidates": (
        "  {count} agents could take it. First comes {order}:",
        "  有 {count} 位坐席可以接。先后次序：{order}：",
    ),
    "order": (
        "{level}{rule}, then who is idle longest, then the place in the configuration",
        "{level}{rule}，其次空闲最久者，再次配置中的位次",
    ),
    "level_first": ("the highest level, then ", "级别最高者，其次"),
    "rank": (
        "   {row:>2}  {agent:20} {level}{number}, idle since {idle}, place {position}",
        "   {row:>2}  {agent:20} {level}{number}，空闲自 {idle}，位次 {position}",
    ),
    "level": ("level {level}, ", "级别 {level},"),
    "more": ("       and {count} more", "       另有 {count} 位"),
    "first": (
        "  Of {count} waiting contacts that {agent} could take this one stood first.",
        "  在 {agent} 可接的 {count} 个等待联络中，它排在第一。",
    ),
    "why_not": ("Why not {agent}?", "为什么不是 {agent}？"),
    "it_was": ("  That is who got it.", "  正是该坐席得到了它。"),
    "not": ("  ✗ {text}", "  ✗ {text}"),
    "fix": ("      → {text}", "      → {text}"),
    "others_hold": ("  The other {count} conditions hold.", "  其余 {count} 项条件成立。"),
    "all_hold": (
        "  All {count} conditions hold: it is a matter of rank.",
        "  {count} 项条件全部成立：只差次序。",
    ),
    "other_rule": (
        "  All {count} conditions hold, yet another rule keeps them apart.",
        "  {count} 项条件全部成立，但另有规则不允许。",
    ),
    "agents_ahead": ("  {count} went before it: {who}", "  有 {count} 位排在前面：{who}"),
    "agents_would": (
        "  With that, {count} would still go before: {who}",
        "  即便如此，仍有 {count} 位排在前面：{who}",
    ),
    "contacts_would": (
        "  With that, {count} waiting contacts would go before this one, contact {first} first.",
        "  即便如此，仍有 {count} 个等待联络排在它前面，首先是联络 {first}。",
    ),
    "rank_fix": ("      → {who}: not ready, or busy", "      → {who}：示忙，或手中有事"),
    "waits": ("It waits. Of {count} agents:", "它在等待。{count} 位坐席中："),
    "sum": ("   {count:>4}  fail first at: {text}", "   {count:>4}  首先不满足：{text}"),
    "never": ("It was never offered to anybody.", "它从未派给任何人。"),
    "retry_at": ("at {time}", "于 {time}"),
    "retry_later": ("some seconds after nobody else is left", "待别无他人数秒后"),
}
SHORT: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("the contact waits", "联络在等待"),
    "queue_skill": ("the queue's skills", "队列的技能要求"),
    "contact_skill": ("the contact's skills", "联络的技能要求"),
    "ready": ("ready", "示闲"),
    "staying": ("not signing out", "未在签出"),
    "unlocked": ("not locked", "未闭锁"),
    "not_attempted": ("not asked before", "未曾询问过"),
    "capacity": ("free units", "空余容量"),
    "empty_hands": ("nothing in hand", "手中无事"),
    "nothing_exclusive": ("nothing exclusive in hand", "手中无独占联络"),
}

# What a queue's strategy goes by.
NUMBERS: Final[dict[str, tuple[str, str]]] = {
    "longest_idle": ("holds {number}", "占用 {number}"),
    "least_occupied": ("{number} % occupied", "占用率 {number} %"),
    "fewest_contacts": ("{number} contacts accepted", "已接受 {number} 个联络"),
    "least_talk": ("talked {number} s", "通话共 {number} 秒"),
    "least_average_talk": ("talked {number} s on average", "平均通话 {number} 秒"),
    "longest_average_idle": ("idle {number} s on average", "平均空闲 {number} 秒"),
    "best_skill": ("holds {number}", "占用 {number}"),
    "round_robin": ("last offer {number}", "上次派单 {number}"),
    "top_down": ("as configured", "按配置顺序"),
    "random": ("by lot", "随机"),
    "weighted": ("{number} millionths of its share", "份额的百万分之 {number}"),
}

# Who comes first by a queue's strategy.
RULES: Final[dict[str, tuple[str, str]]] = {
    "longest_idle": ("who holds the least", "占用最少者"),
    "least_occupied": ("who is least occupied", "占用率最低者"),
    "fewest_contacts": ("who accepted the fewest contacts", "接受联络最少者"),
    "least_talk": ("who talked the least", "通话总时长最短者"),
    "least_average_talk": ("who talks the shortest on average", "平均通话最短者"),
    "longest_average_idle": ("who was idle the longest on average", "平均空闲最久者"),
    "best_skill": ("who holds the least", "占用最少者"),
    "round_robin": ("whose last offer is the oldest", "最久未获派单者"),
    "top_down": ("who stands first in the configuration", "配置中靠前者"),
    "random": ("whom the lot has chosen", "随机抽中者"),
    "weighted": ("who had the fewest offers for its share", "按份额派单最少者"),
}
