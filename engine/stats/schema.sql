-- The statistics database. Everything here is made from the journal and can be made again.
--
-- Read the views contacts, offers, segments, overflows, queue_hours, agent_states: they carry names. Beneath each stand two
-- tables with the same columns: *_live has the rows that may still change, *_ended those that never
-- will. A write is one transaction over all of them and `applied`, so any one statement sees one
-- instant of the journal.
--
-- Times are TIMESTAMPTZ with microseconds; durations end with _ms and are truncated to milliseconds.
-- Ids are the numbers that the engine gives; NULL means "not (yet)" and never zero.

-- How far the journal has been read. One row, always.
CREATE TABLE applied (
    format INTEGER NOT NULL, -- of these tables; another one is not migrated but made again from the journal
    site VARCHAR NOT NULL, -- the site's name
    seq BIGINT NOT NULL, -- the last batch of the journal whose events are in these tables; 0 before the first
    applied_at TIMESTAMPTZ, -- that batch's time: what "now" means here; NULL before the first
    state_hash VARCHAR NOT NULL, -- the router's state behind that batch, 16 hex digits: tells whether this is still the same journal
    journal_seq BIGINT NOT NULL, -- where the journal ended when this was written; minus seq = lag in batches
    arrived BIGINT NOT NULL -- contacts that have arrived, counted by events and not by rows
);

-- Names of the configuration, as they are now; a rename renames the past too.
CREATE TABLE names (
    kind VARCHAR NOT NULL, -- agent, queue, skill, channel, reason or target
    id BIGINT NOT NULL, -- the number behind the name, for ever
    name VARCHAR NOT NULL -- the section's name in the configuration file
);

-- Each configuration that has been in force: offers say by which one they were decided.
CREATE TABLE configurations_ended (
    config BIGINT NOT NULL, -- its number, from 1
    hash VARCHAR NOT NULL, -- BLAKE2b-256 of the configuration as it was journaled, 64 hex digits
    since TIMESTAMPTZ NOT NULL, -- from when it was in force
    seq BIGINT NOT NULL -- the batch in which it was accepted
);
CREATE TABLE configurations_live AS FROM configurations_ended LIMIT 0;

-- One row per contact: a customer's request on one channel.
CREATE TABLE contacts_ended (
    contact BIGINT NOT NULL, -- its number, from 1, without gaps
    channel_id BIGINT NOT NULL, -- where it came from
    queue_id BIGINT NOT NULL, -- where it waits or waited last
    first_queue_id BIGINT NOT NULL, -- where it arrived
    key VARCHAR NOT NULL, -- keyed hash of (channel, account, external id), 32 hex digits: no personal data
    state VARCHAR NOT NULL, -- scheduled (not to wait yet), waiting, offered, connecting, engaged; over: served, abandoned, blocked, overflowed, withdrawn
    agent_id BIGINT, -- who has it in hand (offered, connecting, engaged), or had it when it ended; while it rings at several, who was asked first
    arrived_at TIMESTAMPTZ NOT NULL, -- when it came in
    enqueued_at TIMESTAMPTZ NOT NULL, -- since when it stands in its queue: its arrival, its last transfer, the time that it was scheduled for, or before its arrival where it took a kept place
    first_offered_at TIMESTAMPTZ, -- when it was first proposed to an agent
    engaged_at TIMESTAMPTZ, -- when it was first answered
    ended_at TIMESTAMPTZ, -- when it was over
    ended_by VARCHAR, -- customer, agent, deadline, supervisor, or engine (its plugin was gone); of a blocked contact the limit: queue_full, site_full, or closed; of an overflowed one the cause
    head_start_ms BIGINT NOT NULL, -- its priority in the queue, as time, ms
    tier SMALLINT NOT NULL, -- its tier, lower first: 2 arrival, 1 transfer
    weight INTEGER NOT NULL, -- units of an agent's capacity that it takes
    offers INTEGER NOT NULL, -- how often it was proposed to an agent
    misses INTEGER NOT NULL, -- how many of these proposals nobody answered
    transfers INTEGER NOT NULL, -- how often it was passed on to a queue, by an agent or a supervisor
    wait_ms BIGINT, -- from arrival, or the time that it was scheduled for, to the first answer, or to the end if there was none, ms; NULL while it waits for its first answer
    talk_ms BIGINT NOT NULL, -- sum of talk_ms over the segments, of those who served it, that are over, ms
    relaxed INTEGER NOT NULL, -- how many steps of its queues were applied while it waited
    preference_over VARCHAR, -- why it was opened to others than its preferred agents, the last time: deadline, absent; NULL = it was not
    hold_ms BIGINT NOT NULL, -- how much of that the customer was on hold, ms
    parked_ms BIGINT NOT NULL, -- how much of that it was parked, ms
    target_id BIGINT, -- the place outside that it was passed on to, by an agent or by an overflow
    announcements INTEGER NOT NULL, -- how often it was told its position
    overflows INTEGER NOT NULL, -- how often it was sent elsewhere because a queue could not serve it in time
    scheduled_for TIMESTAMPTZ, -- when it was to begin to wait; NULL = at its arrival
    kept_place BOOLEAN NOT NULL, -- it stands where an earlier contact stood that had left
    lifted_at TIMESTAMPTZ, -- when it was let go before others, because the time for a reply was running out
    reply_by TIMESTAMPTZ, -- until when its channel allowed a reply; known of lifted contacts only
    reserved INTEGER NOT NULL, -- how often an agent was kept for it, because lighter contacts had passed it
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE contacts_live AS FROM contacts_ended LIMIT 0;

-- One row per offer: one contact proposed to one agent.
CREATE TABLE offers_ended (
    offer BIGINT NOT NULL, -- its number, from 1; those that are missing were invitations
    contact BIGINT NOT NULL, -- what was proposed
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that the contact waited in
    agent_id BIGINT NOT NULL, -- to whom
    made_at TIMESTAMPTZ NOT NULL, -- when
    deadline_at TIMESTAMPTZ NOT NULL, -- until when it could be accepted
    closed_at TIMESTAMPTZ, -- when it was over
    outcome VARCHAR NOT NULL, -- open, accepted, declined, expired (nobody answered), withdrawn
    cause VARCHAR, -- why it was withdrawn: abandoned, agent_left, restart, released, taken (somebody else answered first)
    reason_id BIGINT, -- the agent's reason for declining
    answer_ms BIGINT, -- closed_at - made_at, ms
    config BIGINT NOT NULL, -- the number of the configuration by which it was decided
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE offers_live AS FROM offers_ended LIMIT 0;

-- One row each time a contact and an agent had each other, with the wrap-up that followed: whoever served it, and
-- whoever was in it beside.
CREATE TABLE segments_ended (
    segment BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- whose
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that it came out of
    agent_id BIGINT NOT NULL, -- with whom
    role VARCHAR NOT NULL, -- serves; joined = was in it beside the one who serves
    outcome VARCHAR NOT NULL, -- open, served, transferred, transferred_out, handed_over, taken_over (by another), lease_lost (nobody stood behind the agent's desk, and it went back to its place), connect_failed, abandoned or withdrawn (while it was connected); of who joined: left, serves (went on as the one who serves)
    connecting_at TIMESTAMPTZ, -- when the channel was asked to connect them; NULL on an instant channel
    engaged_at TIMESTAMPTZ, -- when they began to talk; when the agent joined
    ended_at TIMESTAMPTZ, -- when they were apart again
    talk_ms BIGINT, -- ended_at - engaged_at, ms
    hold_ms BIGINT NOT NULL, -- how much of it the customer was on hold so far, ms
    parked_ms BIGINT NOT NULL, -- how much of it the contact was parked so far, ms
    wrap_up_started_at TIMESTAMPTZ, -- when the agent's after-contact work began
    wrap_up_ended_at TIMESTAMPTZ, -- when it was over
    wrap_up_ended_by VARCHAR, -- agent or deadline
    wrap_up_ms BIGINT, -- wrap_up_ended_at - wrap_up_started_at, ms
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE segments_live AS FROM segments_ended LIMIT 0;

-- One row each time a strategy from outside was asked whom a contact should go to.
CREATE TABLE choices_ended (
    choice BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- whose
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that asked
    agent_id BIGINT, -- whom the contact was offered to; NULL = nobody
    wanted_at TIMESTAMPTZ NOT NULL, -- when it was asked
    deadline_at TIMESTAMPTZ NOT NULL, -- until when an answer counted
    over_at TIMESTAMPTZ, -- when it was decided
    agents INTEGER NOT NULL, -- how many agents it could choose from
    cause VARCHAR, -- chosen (by the function), deadline (no answer in time), not_eligible (the one it named could not have it any more), left_to_fallback (it named nobody), dropped (the contact went, or changed, before); NULL while it is open
    answer_ms BIGINT, -- over_at - wanted_at, ms
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE choices_live AS FROM choices_ended LIMIT 0;

-- One row for each contact that its queue's estimated waits were measured by: one at a time a queue.
CREATE TABLE estimates_ended (
    estimate BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- who was told
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- where it waited
    estimated_at TIMESTAMPTZ NOT NULL, -- when it was queued and estimated
    engaged_at TIMESTAMPTZ NOT NULL, -- when it was answered
    estimate_ms BIGINT NOT NULL, -- the wait that was expected (mean), ms
    p90_ms BIGINT NOT NULL, -- the wait that nine in ten were expected to stay within, ms
    actual_ms BIGINT NOT NULL, -- the wait that it was, ms
    seq BIGINT NOT NULL -- the batch in which it was answered
);
CREATE TABLE estimates_live AS FROM estimates_ended LIMIT 0;

-- One row each time a contact was sent elsewhere because a queue could not serve it in time.
CREATE TABLE overflows_ended (
    overflow BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- which
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that it left, or did not get into
    overflowed_at TIMESTAMPTZ NOT NULL, -- when
    cause VARCHAR NOT NULL, -- the rule that held: size, wait, estimate, no_agent, closed, no_answer
    to_queue_id BIGINT, -- where it went on waiting; NULL = to a place outside
    target_id BIGINT, -- the place outside; NULL = to another queue
    waited_ms BIGINT NOT NULL, -- since it was queued by its arrival or its last transfer, ms; 0 of one that found its queue closed
    seq BIGINT NOT NULL -- the batch in which it was sent on
);
CREATE TABLE overflows_live AS FROM overflows_ended LIMIT 0;

-- When each queue was open: one interval after the other since its hours first changed; before that it was open.
CREATE TABLE queue_hours_ended (
    queue_id BIGINT NOT NULL, -- which
    started_at TIMESTAMPTZ NOT NULL, -- from when
    ended_at TIMESTAMPTZ, -- to when; NULL = until now
    state VARCHAR NOT NULL, -- open, closing (serves who waits, takes nobody in), closed
    duration_ms BIGINT, -- ended_at - started_at, ms
    seq BIGINT NOT NULL -- the batch that began it, or ended it
);
CREATE TABLE queue_hours_live AS FROM queue_hours_ended LIMIT 0;

-- What each agent was doing when: one interval after the other since the first sign-in.
CREATE TABLE agent_states_ended (
    agent_id BIGINT NOT NULL, -- who
    started_at TIMESTAMPTZ NOT NULL, -- from when
    ended_at TIMESTAMPTZ, -- to when; NULL = until now
    state VARCHAR NOT NULL, -- declared: signed_out, not_ready, ready; signing_out = leaves after what is in hand
    reason_id BIGINT, -- why not ready, as the agent said
    locked BOOLEAN NOT NULL, -- imposed: gets no offers until a supervisor unlocks
    activity VARCHAR NOT NULL, -- in hand, the most demanding first: engaged, joined (in a contact that another serves), connecting, wrap_up, offered, parked (nothing but parked contacts), idle
    duration_ms BIGINT, -- ended_at - started_at, ms
    seq BIGINT NOT NULL -- the batch that began it, or ended it
);
CREATE TABLE agent_states_live AS FROM agent_states_ended LIMIT 0;
