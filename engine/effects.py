"""From the core's events to what a channel has to carry out."""

from __future__ import annotations

from engine import channel, model
from engine.names import Names

QUEUED_CAUSES = {cause: cause.name.lower() for cause in model.QueuedCause}
ENDED_BY = {by: by.name.lower() for by in model.EndedBy}


def effect_of(names: Names, effect_id: str, event: model.AnyEvent) -> channel.Effect | None:
    """Return the effect of an event, or None when a channel has nothing to do for it."""
    match event:
        case model.Queued():
            effect: channel.Effect = channel.Queued(
                effect_id=effect_id,
                contact=event.contact,
                queue=names.name("queue", event.queue),
                cause=QUEUED_CAUSES[event.cause],
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
            effect = _ended(effect_id, event.contact, "blocked", "engine")
        case model.Withdrawn():
            effect = _ended(effect_id, event.contact, "withdrawn", "supervisor")
        case _:
            return None
    return effect


def _ended(effect_id: str, contact: int, outcome: str, by: str) -> channel.Ended:
    return channel.Ended(effect_id=effect_id, contact=contact, outcome=outcome, by=by)
