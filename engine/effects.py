"""From the core's events to what a channel has to carry out."""

from __future__ import annotations

from collections.abc import Mapping

from engine import channel, model
from engine.config_types import TargetSection
from engine.names import Names

BLOCKED_CAUSES = {cause: cause.name.lower() for cause in model.BlockedCause}
OVERFLOW_CAUSES = {cause: cause.name.lower() for cause in model.OverflowWhen}
QUEUED_CAUSES = {cause: cause.name.lower() for cause in model.QueuedCause}
ENDED_BY = {by: by.name.lower() for by in model.EndedBy}


def effects_of(
    names: Names,
    effect_id: str,
    event: model.AnyEvent,
    targets: Mapping[str, TargetSection] | None = None,
) -> list[channel.Effect]:
    """Return the effects of an event; none when a channel has nothing to do for it.

    Args:
        names: of what the event names by number.
        effect_id: the effect's.
        event: what has happened.
        targets: the places outside, by name; one that is missing is reached by its name.
    """
    if isinstance(event, model.Overflowed):
        return _overflowed(names, effect_id, event, targets or {})
    effect = _effect_of(names, effect_id, event, targets or {})
    return [] if effect is None else [effect]


def _overflowed(
    names: Names, effect_id: str, event: model.Overflowed, targets: Mapping[str, TargetSection]
) -> list[channel.Effect]:
    """To another queue it goes on waiting, and `Queued` says so; to a place outside it is over."""
    if event.to_kind is model.OverflowTo.QUEUE:
        return []
    cause = OVERFLOW_CAUSES[event.cause]
    out = _transfer_out(effect_id, event.contact, names.name("target", event.to), targets, cause)
    return [out, _ended(f"{effect_id}/ended", event.contact, "overflowed", "engine", cause)]


def _transfer_out(
    effect_id: str, contact: int, place: str, targets: Mapping[str, TargetSection], cause: str = ""
) -> channel.TransferOut:
    section = targets.get(place)
    return channel.TransferOut(
        effect_id=effect_id,
        contact=contact,
        target=place,
        address=place if section is None else section.address,
        options={} if section is None else section.options,
        cause=cause,
    )


def _effect_of(
    names: Names, effect_id: str, event: model.AnyEvent, targets: Mapping[str, TargetSection]
) -> channel.Effect | None:
    match event:
        case model.Queued():
            effect: channel.Effect = channel.Queued(
                effect_id=effect_id,
                contact=event.contact,
                queue=names.name("queue", event.queue),
                cause=QUEUED_CAUSES[event.cause],
            )
        case model.AnnouncementDue():
            wait = channel.Wait(event.p50_us, event.p90_us) if event.p90_us else None
            effect = channel.Announcement(
                effect_id=effect_id, contact=event.contact, position=event.position, wait=wait
            )
        case model.OfferMade():
            effect = channel.Offered(effect_id=effect_id, contact=event.contact)
        case model.Connecting():
            effect = channel.Connect(
                effect_id=effect_id,
                contact=event.contact,
                agent=names.name("agent", event.agent),
                deadline_ms=event.deadline // 1_000,
            )
        case model.Engaged():
            effect = channel.Engaged(
                effect_id=effect_id, contact=event.contact, agent=names.name("agent", event.agent)
            )
        case model.Ended():
            effect = _ended(effect_id, event.contact, "served", ENDED_BY[event.by])
        case model.Abandoned():
            effect = _ended(effect_id, event.contact, "abandoned", "customer")
        case model.Blocked():
            effect = _ended(effect_id, event.contact, "blocked", "engine", BLOCKED_CAUSES[event.cause])
        case model.Withdrawn():
            effect = _ended(effect_id, event.contact, "withdrawn", ENDED_BY[event.by])
        case model.Scheduled():
            effect = channel.Scheduled(
                effect_id=effect_id,
                contact=event.contact,
                queue=names.name("queue", event.queue),
                until_ms=event.until // 1_000,
            )
        case _:
            return _in_hand(names, effect_id, event, targets)
    return effect


def _ended(effect_id: str, contact: int, outcome: str, by: str, reason: str = "") -> channel.Ended:
    return channel.Ended(effect_id=effect_id, contact=contact, outcome=outcome, by=by, reason=reason)


def _in_hand(
    names: Names, effect_id: str, event: model.AnyEvent, targets: Mapping[str, TargetSection]
) -> channel.Effect | None:
    """What happens to a contact in its agents' hands."""
    match event:
        case model.Held():
            effect: channel.Effect = channel.Held(effect_id=effect_id, contact=event.contact)
        case model.Resumed():
            effect = channel.Resumed(effect_id=effect_id, contact=event.contact)
        case model.Joined():
            agent = names.name("agent", event.agent)
            effect = channel.Joined(effect_id=effect_id, contact=event.contact, agent=agent)
        case model.Left():
            agent = names.name("agent", event.agent)
            effect = channel.Left(effect_id=effect_id, contact=event.contact, agent=agent)
        case model.HandedOver() | model.TakenOver():
            agent = names.name("agent", event.to_agent)
            effect = channel.ServedBy(effect_id=effect_id, contact=event.contact, agent=agent)
        case model.TransferredOut():
            effect = _transfer_out(effect_id, event.contact, names.name("target", event.target), targets)
        case _:
            return None
    return effect
