"""The sentences of an explanation, in English and Chinese; `engine.explain_words` fills them in."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from engine.explain_events import EVENTS

__all__ = [
    "CONDITIONS",
    "EVENTS",
    "FIXES",
    "NAMES",
    "NUMBERS",
    "PRESENCES",
    "RULES",
    "SHORT",
    "STATES",
    "TEXTS",
    "Language",
]

Language: TypeAlias = Literal["en", "zh"]

CONDITIONS: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("the contact waits: {state}", "联络在等待：{state}"),
    "queue_open": ("{subject} is not closed: it is", "队列 {subject} 未关闭：现已关闭"),
    "pace": (
        "fewer than {needs} contacts of {subject} in hand: there are {has}",
        "队列 {subject} 手中联络少于 {needs} 个：现有 {has} 个",
    ),
    "domain": (
        "{subject} is of the agent's domain, or a contract opens it: neither",
        "队列 {subject} 属坐席所在的租户域，或有合约开放：均不是",
    ),
    "choosing": (
        "no strategy from outside is being asked: one is, until {until}",
        "未在询问外部策略：正在询问，至 {until}",
    ),
    "queue_skill": (
        "skill {subject}: has {has}, the queue needs {needs}",
        "技能 {subject}：现为 {has}，队列要求 {needs}",
    ),
    "queue_not_skill": (
        "skill {subject}: has {has}, the queue wants less than {needs}",
        "技能 {subject}：现为 {has}，队列要求低于 {needs}",
    ),
    "contact_skill": (
        "skill {subject}: has {has}, the contact needs {needs}",
        "技能 {subject}：现为 {has}，联络要求 {needs}",
    ),
    "contact_not_skill": (
        "skill {subject}: has {has}, the contact wants less than {needs}",
        "技能 {subject}：现为 {has}，联络要求低于 {needs}",
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
    "not_excluded": (
        "the contact does not exclude this agent: it does",
        "联络未排除该坐席：已排除",
    ),
    "preferred": (
        "the contact waits for other agents, whom it prefers, until {until}",
        "联络在等待其他指定坐席，至 {until}",
    ),
    "no_human": (
        "nobody but stealth agents could serve it: {subject} is signed in",
        "除隐身坐席外无人可服务：{subject} 已签入",
    ),
    "capacity": (
        "units on {subject}: has {has}, needs {needs} ({held} in use)",
        "渠道 {subject} 的容量：共 {has}，需要 {needs}（已占 {held}）",
    ),
    "empty_hands": (
        "nothing in hand that cannot be interrupted, for an exclusive contact: holds {has} ({held} in all)",
        "独占联络要求手中没有不可打断的联络：已占 {has}（共 {held}）",
    ),
    "no_offer": (
        "no open offer, for an exclusive contact: {has} ring",
        "独占联络要求没有未应答的派单：现有 {has} 个",
    ),
    "nothing_exclusive": (
        "nothing exclusive in hand: holds {has} on {subject}",
        "手中无独占联络：在 {subject} 已占 {has}",
    ),
    "not_reserved": (
        "the agent is kept for no other contact: it is, for contact {has}",
        "坐席未为其他联络保留：已为联络 {has} 保留",
    ),
}

FIXES: Final[dict[str, tuple[str, str]]] = {
    "raise_skill": (
        "raise skill {subject} of {agent} from {was} to {to}",
        "把 {agent} 的技能 {subject} 从 {was} 提高到 {to}",
    ),
    "lower_skill": (
        "lower skill {subject} of {agent} from {was} to {to}",
        "把 {agent} 的技能 {subject} 从 {was} 降低到 {to}",
    ),
    "raise_capacity": (
        "raise the capacity of {agent} on {subject} from {was} to {to}, or let it finish",
        "把 {agent} 在 {subject} 的容量从 {was} 提高到 {to}，或等其结束手中联络",
    ),
    "finish_one": ("a contact of {subject} ends", "队列 {subject} 结束一个联络"),
    "sign_contract": (
        "a contract opens {subject} to the domain of {agent}",
        "以合约向 {agent} 的租户域开放 {subject}",
    ),
    "open_queue": ("{subject} opens", "队列 {subject} 开放"),
    "sign_in": ("{agent} signs in, ready", "{agent} 签入并示闲"),
    "make_ready": ("{agent} becomes ready", "{agent} 示闲"),
    "stay": ("{agent} signs in again", "{agent} 重新签入"),
    "unlock": ("a supervisor unlocks {agent}", "班长解锁 {agent}"),
    "ask_again": ("{agent} is asked again {when}", "{when}再次询问 {agent}"),
    "pass_on": (
        "whoever gets it passes it on without excluding {agent}",
        "接到者转接时不再排除 {agent}",
    ),
    "open_up": (
        "it is open to {agent} {when}, or as soon as nobody whom it prefers is there",
        "{when}向 {agent} 开放，或指定坐席均不在时立即开放",
    ),
    "humans_leave": (
        "{subject}, and whoever else could serve it, signs out",
        "{subject} 及其他可服务者签出",
    ),
    "empty_hands": (
        "{agent} finishes what it has in hand and cannot be interrupted",
        "{agent} 结束手中不可打断的联络",
    ),
    "close_offers": ("{agent} answers what rings", "{agent} 应答或拒绝未应答的派单"),
    "finish_exclusive": ("{agent} finishes what it has on {subject}", "{agent} 结束 {subject} 上的联络"),
    "await_choice": ("the choice is made {when} at the latest", "最迟{when}作出选择"),
    "await": ("it begins to wait {when}", "{when}开始等待"),
    "serve_first": (
        "contact {to}, for which {agent} is kept, is served or goes",
        "为其保留 {agent} 的联络 {to} 被服务或离开",
    ),
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
    ("it ended before anyone answered it", "在应答前已结束"),
    ("it overflowed to a place outside", "已溢出到外部去处"),
    ("it is not to wait before {until}", "在 {until} 前不进入队列"),
)
NAMES: Final[dict[str, tuple[str, str]]] = {
    "waiting": ("waiting", "等待中"),
    "offered": ("offered", "已派单"),
    "connecting": ("connecting", "接通中"),
    "engaged": ("engaged", "服务中"),
    "scheduled": ("scheduled", "已预约"),
    "served": ("served", "已服务"),
    "abandoned": ("abandoned", "已放弃"),
    "blocked": ("blocked", "已被拒"),
    "withdrawn": ("withdrawn", "已强拆"),
    "overflowed": ("overflowed", "已溢出"),
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
    "rang": (
        "  It rang at {count} agents at once, and {agent} answered first.",
        "  同时振铃 {count} 位坐席，{agent} 最先应答。",
    ),
    "outside chosen": ("  The strategy from outside chose {agent}.", "  由外部策略选择 {agent}。"),
    "outside deadline": (
        "  No answer from outside came in time: the queue's fallback decided.",
        "  外部未及时答复：由队列的后备策略决定。",
    ),
    "outside not_eligible": (
        "  Whom the strategy from outside chose could not have it any more: the queue's fallback decided.",
        "  外部策略选择的坐席已不能接：由队列的后备策略决定。",
    ),
    "outside left_to_fallback": (
        "  The strategy from outside left it to the queue's fallback.",
        "  外部策略交由队列的后备策略决定。",
    ),
    "rings": ("  It rings at {count} agents at once.", "  正在同时振铃 {count} 位坐席。"),
    "only": ("  Nobody else could take it at that moment.", "  当时只有该坐席可以接。"),
    "candidates": (
        "  {count} agents could take it. First comes {order}:",
        "  有 {count} 位坐席可以接。先后次序：{order}：",
    ),
    "order": (
        "{level}{score}{rule}, then who is idle longest, then the place in the configuration",
        "{level}{score}{rule}，其次空闲最久者，再次配置中的位次",
    ),
    "level_first": ("the highest level, then ", "级别最高者，其次"),
    "score_first": ("the highest score in preferred skills, then ", "偏好技能得分最高者，其次"),
    "rank": (
        "   {row:>2}  {agent:20} {level}{score}{number}, idle since {idle}, place {position}",
        "   {row:>2}  {agent:20} {level}{score}{number}，空闲自 {idle}，位次 {position}",
    ),
    "level": ("level {level}, ", "级别 {level},"),
    "score": ("score {score}, ", "得分 {score},"),
    "more": ("       and {count} more", "       另有 {count} 位"),
    "first": (
        "  Of {count} waiting contacts that {agent} could take this one stood first.",
        "  在 {agent} 可接的 {count} 个等待联络中，它排在第一。",
    ),
    "why_not": ("Why not {agent}?", "为什么不是 {agent}？"),
    "not_asked": (
        "  ✓ not asked, as the contact is for {agent} beyond its capacity: {text}",
        "  ✓ 不作要求，该联络可超出 {agent} 的容量派给：{text}",
    ),
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
    "domain": ("the queue is of the agent's domain", "队列属坐席的租户域"),
    "pace": ("fewer of the queue's contacts in hand", "队列手中联络未达上限"),
    "queue_open": ("the queue is not closed", "队列未关闭"),
    "choosing": ("no strategy from outside is being asked", "未在询问外部策略"),
    "queue_skill": ("the queue's skills", "队列的技能要求"),
    "queue_not_skill": ("the queue's skills that must be lower", "队列的技能上限"),
    "contact_skill": ("the contact's skills", "联络的技能要求"),
    "contact_not_skill": ("the contact's skills that must be lower", "联络的技能上限"),
    "ready": ("ready", "示闲"),
    "staying": ("not signing out", "未在签出"),
    "unlocked": ("not locked", "未闭锁"),
    "not_attempted": ("not asked before", "未曾询问过"),
    "not_excluded": ("not excluded", "未被排除"),
    "preferred": ("preferred by the contact", "为联络的指定坐席"),
    "no_human": ("nobody but stealth agents", "除隐身坐席外无人"),
    "capacity": ("free units", "空余容量"),
    "empty_hands": ("nothing in hand that cannot be interrupted", "手中没有不可打断的联络"),
    "no_offer": ("no open offer", "没有未应答的派单"),
    "nothing_exclusive": ("nothing exclusive in hand", "手中无独占联络"),
    "not_reserved": ("kept for no other contact", "未为其他联络保留"),
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
    "ring_all": ("holds {number}", "占用 {number}"),
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
    "ring_all": ("who holds the least", "占用最少者"),
}
