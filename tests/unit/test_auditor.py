"""The auditor notices every promise that a stream of events breaks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import events as ev
from tests.oracle.auditor import Auditor
from tests.oracle.config import (
    NO_LIMIT,
    AgentConfig,
    ChannelConfig,
    Config,
    Goal,
    Order,
    QueueConfig,
    QueueState,
    When,
)

EMPTY = Config(Order.LONGEST, 3, 1, NO_LIMIT, 1, 1, 0, 0, 0, *[()] * 8, b"", bytes(32))
CHANNEL, QUEUE = ChannelConfig(1, False, True, 1), QueueConfig(1, (), 0, NO_LIMIT, 1, 0)

WAITS: list[Any] = [
    ev.Arrived(1, 1, 1, bytes(16), 1, 1),
    ev.Queued(1, 1, 1, 1, 2, 1, 0, ev.QueuedCause.ARRIVAL),
]
KEPT, OTHER = ev.Reserved(1, 1, 1, 7), [event._replace(contact=2) for event in WAITS]
ASKED = ev.ChoiceWanted(1, 1, 1, 1, 1, 2, (7,))
ANSWER = ev.ChoiceOver(1, 1, 1, 1, 7, ev.ChoiceCause.CHOSEN)
LATER = ev.Queued(1, 1, 1, 1, 2, 1, 0, ev.QueuedCause.SCHEDULED)
HERE: list[Any] = [ev.AgentSignedIn(1, 7), ev.AgentReady(1, 7)]
OFFER = ev.OfferMade(1, 1, 1, 1, 1, 7, 2, 0)
TAKEN: list[Any] = [*WAITS, *HERE, OFFER, ev.OfferAccepted(1, 1, 1, 1, 7), ev.Engaged(1, 1, 1, 7)]
GUEST: list[Any] = [*TAKEN, ev.AgentSignedIn(1, 8), ev.AgentReady(1, 8), ev.Invited(1, 2, 1, 1, 1, 7, 8, 2)]
SHUT = ev.HoursChanged(1, 1, QueueState.CLOSED)
GOES = ev.Overflowed(1, 1, 1, 1, When.SIZE, Goal.QUEUE, 2)
RETURNS = GOES._replace(queue=2, to=1)
TOLD = ev.AnnouncementDue(1, 1, 1, 1, 1, 5, 9)
COMES = ev.Queued(1, 1, 1, 2, 2, 1, 0, ev.QueuedCause.OVERFLOW)
SERVED = ev.Ended(1, 1, 1, 1, 7, ev.EndedBy.AGENT)


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([*WAITS, OFFER], "not ready"),
        ([*WAITS, *HERE, ev.AgentLocked(1, 7, 3), OFFER], "locked"),
        ([*WAITS, *HERE, OFFER, OFFER._replace(offer=2)], "while offered"),
        ([*WAITS, *HERE, OFFER, ev.OfferAccepted(1, 2, 1, 1, 7)], r"open is \{1: 7\}"),
        ([*WAITS, *HERE, OFFER, ev.OfferAccepted(1, 1, 1, 1, 8)], "it has agent 7"),
        ([*WAITS, *HERE, OFFER, ev.OfferAccepted(1, 1, 1, 1, 7)], "was left accepted"),
        ([*WAITS, *HERE, OFFER, ev.OfferExpired(1, 1, 1, 1, 7)], "was left returning"),
        ([*WAITS, ev.Engaged(1, 1, 1, 7)], "while waiting"),
        ([*WAITS, ev.Ended(1, 1, 1, 1, 7, ev.EndedBy.AGENT)], "while waiting"),
        ([WAITS[0]], "was left new"),
        ([*WAITS, *HERE, OFFER, ev.Changed(1, 1, 1, 2, 0)], "while offered"),
        ([*WAITS, *HERE, ev.Changed(1, 1, 1, 2, 0), OFFER], "queue 2"),
        ([*WAITS, *HERE, OFFER, ev.Withdrawn(1, 1, 1, 1, 0, ev.EndedBy.SUPERVISOR)], "while offered"),
        ([*WAITS, ev.Withdrawn(1, 1, 1, 1, 0, ev.EndedBy.CUSTOMER)], "by whom"),
        ([*WAITS, ev.Lifted(1, 1, 1, 1, 1, 9), ev.Withdrawn(8, 1, 1, 1, 0, ev.EndedBy.DEADLINE)], "until 9"),
        ([*WAITS, *HERE, ev.Lifted(1, 1, 1, 1, 1, 9), OFFER._replace(at=10, deadline=11)], "too late"),
        ([*WAITS, *[ev.Lifted(1, 1, 1, 1, 1, 9)] * 2], "tier 1"),
        ([*WAITS, ev.Lifted(9, 1, 1, 1, 1, 9)], "too late"),
        ([WAITS[0], WAITS[1]._replace(at=5)], "nobody has left that place"),
        ([WAITS[0], ev.Scheduled(1, 1, 1, 1, 9), LATER._replace(at=8, enqueued_at=8)], "not at 9"),
        ([WAITS[0], ev.Scheduled(1, 1, 1, 1, 1)], "not for later"),
        ([WAITS[0], ev.Scheduled(1, 1, 1, 1, 9), OFFER], "while scheduled"),
        ([*WAITS, *HERE, KEPT, KEPT], "7 is kept for it"),
        ([*WAITS, KEPT], "not ready"),
        ([*WAITS, *HERE, KEPT, ev.AgentNotReady(1, 7, 0)], "agent 7 is kept for 1"),
        ([*WAITS, *HERE, KEPT, *OTHER, OFFER._replace(contact=2)], "it is kept for 1"),
        ([*WAITS, *HERE, KEPT, *OTHER, KEPT._replace(contact=2)], "it is kept for 1"),
        ([*WAITS, *HERE, ev.Unreserved(1, 1, 1, 7)], "0 is kept for it"),
        ([*WAITS, *HERE, OFFER, KEPT], "while offered"),
        ([*WAITS, *HERE, ASKED, ASKED._replace(choice=2)], "choice 1 runs"),
        ([*WAITS, *HERE, ASKED, OFFER], "choice 1 runs"),
        ([*WAITS, *HERE, ASKED._replace(agents=(7, 8))], "8 is not ready"),
        ([*WAITS, *HERE, ASKED._replace(agents=())], "0 agents"),
        ([*WAITS, *HERE, ASKED, ANSWER._replace(choice=2)], "choice 1 runs"),
        ([*WAITS, *HERE, ASKED, ANSWER], "was not offered to agent 7"),
        ([*WAITS, *HERE, ASKED, ANSWER, OFFER._replace(agent=8)], "not ready"),
        ([*WAITS, *HERE, ASKED, ANSWER._replace(agent=0)], "nobody was chosen"),
        (
            [*WAITS, *HERE, ASKED, ANSWER._replace(cause=ev.ChoiceCause.DEADLINE)],
            "cause=<ChoiceCause.DEADLINE",
        ),
        ([*WAITS, *HERE, OFFER, ev.Relaxed(1, 1, 1, 1, 1, 0)], "while offered"),
        ([*WAITS, ev.Relaxed(1, 1, 1, 1, 2, 0)], "step 0"),
        ([*WAITS, *[ev.PreferenceOver(1, 1, 1, 1, ev.PreferenceOverCause.ABSENT)] * 2], "it was over"),
        ([*WAITS, WAITS[0]], "expected contact 2"),
        ([*WAITS, *HERE, OFFER, ev.Engaged(1, 1, 1, 7)], "while offered"),
        ([*TAKEN, ev.Resumed(1, 1, 1, 7)], "it was so"),
        ([*TAKEN, ev.Parked(1, 1, 1, 7), ev.Parked(1, 1, 1, 7)], "it was so"),
        ([*TAKEN, ev.Held(1, 1, 1, 8)], "it has agent 7"),
        ([*TAKEN, ev.Invited(1, 2, 1, 1, 1, 7, 8, 2)], "not there"),
        ([*TAKEN, ev.Invited(1, 2, 1, 1, 1, 9, 8, 2)], "a stranger asks"),
        ([*TAKEN, ev.Joined(1, 1, 1, 8)], "nobody has asked"),
        ([*GUEST, ev.Invited(1, 3, 1, 1, 1, 7, 8, 2)], "asked already"),
        ([*GUEST, SERVED], "has company while served"),
        ([*GUEST, ev.Joined(1, 1, 1, 8), SERVED], "has company while served"),
        ([*GUEST, ev.Joined(1, 1, 1, 8), ev.AgentSignedOut(1, 8)], "joined contacts in hand"),
        ([*GUEST, ev.HandedOver(1, 1, 1, 1, 7, 8)], "are in it"),
        ([*GUEST, ev.Left(1, 1, 1, 8, ev.EndedBy.AGENT)], "was not in it"),
        ([*TAKEN, ev.TakenOver(1, 1, 1, 1, 8, 7)], "it has 7"),
        ([*TAKEN, ev.TransferredOut(1, 1, 1, 1, 7, 5)], "went nowhere"),
        ([*HERE, *HERE], "was there already"),
        ([*HERE, ev.AgentSigningOut(1, 7)], "nothing in hand"),
        ([*WAITS, *HERE, OFFER, ev.AgentSignedOut(1, 7)], "in hand"),
        ([ev.AgentSignedIn(2, 7), ev.AgentReady(1, 7)], "time went backwards"),
        ([SHUT, SHUT], "it was so"),
        ([SHUT, *WAITS], "the queue is not open"),
        ([*WAITS, *HERE, SHUT, OFFER], "the queue is closed"),
        ([WAITS[0], ev.Blocked(1, 1, 1, 1, ev.BlockedCause.CLOSED)], "the queue is 0"),
        ([SHUT, WAITS[0], ev.Blocked(1, 1, 1, 1, ev.BlockedCause.QUEUE_FULL)], "the queue is 2"),
        ([WAITS[0], GOES], "it has not waited"),
        ([*WAITS, GOES], "was left overflowing"),
        ([*WAITS, *HERE, OFFER, GOES], "while offered"),
        ([*WAITS, GOES._replace(queue=2)], "queue 1"),
        ([*WAITS, GOES._replace(to=1)], "it is there"),
        ([*WAITS, GOES._replace(cause=When.NO_ANSWER)], "everybody has answered"),
        ([*WAITS, GOES._replace(cause=When.WAIT)], "queued at 1"),
        ([*WAITS, GOES._replace(cause=When.CLOSED)], "the queue is 0"),
        ([*WAITS, GOES, COMES._replace(tier=1)], "place"),
        ([ev.Configured(1, bytes(32), 2)], "expected 1"),
        ([*WAITS, *HERE, OFFER._replace(config=1)], "by 0"),
        ([*WAITS, TOLD, TOLD], "1 was told before"),
        ([*WAITS, TOLD._replace(position=0)], "it is 1"),
        ([*WAITS, TOLD._replace(queue=2)], "queue 1"),
        ([*WAITS, TOLD._replace(p90_us=4)], "half wait longer than most"),
        ([*WAITS, *HERE, OFFER, TOLD], "while offered"),
        ([*WAITS, *[GOES, COMES, RETURNS, COMES._replace(queue=1)] * 3], "for the 5th time"),
    ],
)
def test_the_auditor_notices(events: list[ev.Event], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        Auditor().feed(events)


QUEUE_OF_ONE = QUEUE._replace(domain=1, max_in_hand=1)
SITE = EMPTY._replace(
    channels=(CHANNEL._replace(domain=1),),
    queues=(QUEUE_OF_ONE, QUEUE._replace(id=2)),
    agents=(AgentConfig(7, (), (), domain=1), AgentConfig(8, (), ())),
)
KNOWN: list[Any] = [ev.Configured(1, bytes(32), 1), *HERE]
MADE = OFFER._replace(config=1)
SECOND = [WAITS[0]._replace(contact=2), WAITS[1]._replace(contact=2), MADE._replace(offer=2, contact=2)]
SERVES: list[Any] = [*WAITS, MADE, ev.OfferAccepted(1, 1, 1, 1, 7), ev.Engaged(1, 1, 1, 7)]


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([WAITS[0]._replace(queue=2)], "nothing for domain 1"),
        (
            [*WAITS, ev.AgentSignedIn(1, 8), ev.AgentReady(1, 8), MADE._replace(agent=8)],
            "nothing for domain 0",
        ),
        ([*WAITS, ev.Changed(1, 1, 1, 2, 0)], "queue 2 is nothing for domain 1"),
        ([*WAITS, GOES], "queue 2 is nothing for domain 1"),
        ([*SERVES, ev.Transferred(1, 1, 1, 7, 1, 2, ev.EndedBy.AGENT)], "queue 2 is nothing"),
        ([*SERVES, ev.AgentSignedIn(1, 8), ev.Invited(1, 2, 1, 1, 1, 7, 8, 2)], "nothing for domain 0"),
        ([*SERVES, ev.AgentSignedIn(1, 8), ev.TakenOver(1, 1, 1, 1, 7, 8)], "nothing for domain 0"),
        ([*WAITS, MADE, *SECOND], "2 are in hand"),
    ],
)
def test_the_auditor_knows_domains_and_pace(events: list[ev.Event], fault: str) -> None:
    auditor = Auditor()
    auditor.know(SITE)
    with pytest.raises(AssertionError, match=fault):
        auditor.feed([*KNOWN, *events])


def test_the_auditor_counts() -> None:
    auditor = Auditor()
    auditor.feed([*WAITS, *HERE, OFFER])
    auditor.feed([WAITS[0]._replace(contact=2), ev.Blocked(1, 2, 1, 1, ev.BlockedCause.SITE_FULL)])
    counts = auditor.counts()
    assert {step: count for step, count in counts.items() if count} == {"offered": 1, "blocked": 1}
