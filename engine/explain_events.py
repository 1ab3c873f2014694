"""The sentences of a contact's story, in English and Chinese: one for every event, some by its cause."""

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, tuple[str, str]]] = {
    "arrived": ("arrived", "到达"),
    "queued": ("waits in {queue}", "进入队列 {queue}"),
    "queued transfer": ("waits in {queue} after a transfer", "转接后进入队列 {queue}"),
    "queued offer_ended": ("back at its place in {queue}", "回到队列 {queue} 的原位"),
    "queued connect_failed": ("back at its place in {queue}", "回到队列 {queue} 的原位"),
    "queued restart": ("back at its place in {queue} after a restart", "重启后回到队列 {queue} 的原位"),
    "queued lease_lost": ("back at its place in {queue}", "回到队列 {queue} 的原位"),
    "lease_lost": (
        "{agent} was gone: nobody had stood behind its desk for as long as its lease lasts",
        "{agent} 已失联：其桌面在租约期内无人",
    ),
    "queued kept_place": ("waits in {queue}, at the place that was kept", "进入队列 {queue}，回到保留的位置"),
    "queued scheduled": ("its time has come: waits in {queue}", "约定时间已到：进入队列 {queue}"),
    "scheduled": ("is to wait in {queue} from {until} on", "将于 {until} 起在队列 {queue} 等待"),
    "lifted": (
        "goes before others in {queue}: it has to be answered by {until}",
        "在队列 {queue} 中提前：须在 {until} 前答复",
    ),
    "reserved": (
        "{agent} is kept for it: lighter contacts have passed it for too long",
        "为其保留 {agent}：较轻的联络已超越过久",
    ),
    "unreserved": ("{agent} is kept for it no more", "不再为其保留 {agent}"),
    "choice_wanted": (
        "the strategy from outside is asked (choice {offer}, until {until})",
        "询问外部策略（选择 {offer}，至 {until}）",
    ),
    "choice_over chosen": ("the strategy from outside chose {agent}", "外部策略选择 {agent}"),
    "choice_over deadline": (
        "no answer from outside in time, the fallback decides: {agent}",
        "外部未及时答复，由后备策略决定：{agent}",
    ),
    "choice_over not_eligible": (
        "whom the strategy from outside chose could not have it, the fallback decides: {agent}",
        "外部策略选择的坐席已不能接，由后备策略决定：{agent}",
    ),
    "choice_over left_to_fallback": (
        "the strategy from outside left it to the fallback: {agent}",
        "外部策略交由后备策略决定：{agent}",
    ),
    "blocked queue_full": ("blocked: {queue} was full", "被拒：队列 {queue} 已满"),
    "queued overflow": ("waits in {queue} after an overflow", "溢出后进入队列 {queue}"),
    "blocked site_full": ("blocked: the site was full", "被拒：站点已满"),
    "blocked closed": ("blocked: {queue} took nobody in", "被拒：队列 {queue} 不在服务时间"),
    "announcement_due": ("told its place in {queue}", "播报在队列 {queue} 的位次"),
    "hours_changed open": ("{queue} opens", "队列 {queue} 开放"),
    "hours_changed closing": ("{queue} takes nobody in any more", "队列 {queue} 停止接入"),
    "hours_changed closed": ("{queue} closes", "队列 {queue} 关闭"),
    "overflowed size": ("{queue} was too long: sent on to {other}", "队列 {queue} 过长：溢出到 {other}"),
    "overflowed wait": (
        "it had waited too long in {queue}: sent on to {other}",
        "在队列 {queue} 等待过久：溢出到 {other}",
    ),
    "overflowed estimate": (
        "its wait in {queue} would have been too long: sent on to {other}",
        "在队列 {queue} 预计等待过久：溢出到 {other}",
    ),
    "overflowed no_agent": (
        "nobody signed in could serve it in {queue}: sent on to {other}",
        "队列 {queue} 无可服务的已签入坐席：溢出到 {other}",
    ),
    "overflowed closed": ("{queue} was not open: sent on to {other}", "队列 {queue} 未开放：溢出到 {other}"),
    "overflowed no_answer": (
        "too many offers in {queue} went unanswered: sent on to {other}",
        "在队列 {queue} 多次派单未应答：溢出到 {other}",
    ),
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
    "estimate_scored": ("its wait was held against its estimate", "实际等待已与预计比较"),
    "connect_failed engine": (
        "not connected with {agent}, who was gone",
        "{agent} 已失联，未能接通",
    ),
    "connect_failed": ("could not be connected with {agent}", "未能接通 {agent}"),
    "abandoned": ("the customer left", "客户放弃"),
    "changed": (
        "a supervisor changed its place or needs: {queue}",
        "班长已修改：{queue}",
    ),
    "relaxed": ("waits long enough for the next step of {queue}", "等待时间已到 {queue} 的下一放宽步骤"),
    "preference_over deadline": (
        "open to everybody: its wait for preferred agents is over",
        "向所有坐席开放：指定坐席的等待期限已到",
    ),
    "preference_over absent": (
        "open to everybody: no preferred agent is there",
        "向所有坐席开放：指定坐席均不在",
    ),
    "withdrawn supervisor": ("a supervisor ended it", "班长强拆"),
    "withdrawn engine": ("ended: its channel's plugin was gone for too long", "结束：其渠道插件失联过久"),
    "withdrawn deadline": ("nobody could answer it in time", "未能在期限内答复"),
    "ended": ("served by {agent}", "由 {agent} 服务完毕"),
    "transferred agent": ("{agent} passed it on to {queue}", "{agent} 转接到 {queue}"),
    "transferred supervisor": (
        "a supervisor moved it from {agent} to {queue}",
        "班长将其从 {agent} 强制转接到 {queue}",
    ),
    "transferred_out": ("{agent} passed it on to {other}, outside", "{agent} 转接到外部 {other}"),
    "held": ("{agent} put it on hold", "{agent} 保持"),
    "resumed": ("{agent} went on with it", "{agent} 恢复通话"),
    "parked": ("{agent} parked it", "{agent} 挂起"),
    "unparked": ("{agent} took it up again", "{agent} 取回"),
    "invited": ("{agent} invited {other} (offer {offer})", "{agent} 邀请 {other}（派单 {offer}）"),
    "joined": ("{agent} joined", "{agent} 加入"),
    "invitation_over": ("{agent} did not join {cause}", "{agent} 未加入 {cause}"),
    "left engine": ("{agent} was gone", "{agent} 已失联"),
    "left": ("{agent} left {cause}", "{agent} 退出 {cause}"),
    "handed_over": ("{other} left it to {agent}", "{other} 移交给 {agent}"),
    "taken_over": ("{agent} took it over from {other}", "{agent} 从 {other} 接管"),
    "wrap_up_started": ("{agent} wraps up", "{agent} 开始话后处理"),
    "wrap_up_ended": ("{agent} has wrapped up", "{agent} 话后处理结束"),
}
