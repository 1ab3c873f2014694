-- The statistics database. Everything here is made from the journal and can be made again.
--
-- Read the views contacts, offers, segments, agent_states: they carry names. Beneath each stand two
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
    kind VARCHAR NOT NULL, -- agent, queue, skill, channel or reason
    id BIGINT NOT NULL, -- the number behind the name, for ever
    name VARCHAR NOT NULL -- the section's name in the configuration file
);

-- One row per contact: a customer's request on one channel.
CREATE TABLE contacts_ended (
    contact BIGINT NOT NULL, -- its number, from 1, without gaps
    channel_id BIGINT NOT NULL, -- where it came from
    queue_id BIGINT NOT NULL, -- where it waits or waited last
    first_queue_id BIGINT NOT NULL, -- where it arrived
    key VARCHAR NOT NULL, -- keyed hash of (channel, account, external id), 32 hex digits: no personal data
    state VARCHAR NOT NULL, -- waiting, offered, connecting, engaged; over: served, abandoned, blocked, overflowed, withdrawn
    agent_id BIGINT, -- who has it in hand (offered, connecting, engaged), or had it when it ended
    arrived_at TIMESTAMPTZ NOT NULL, -- when it came in
    enqueued_at TIMESTAMPTZ NOT NULL, -- when it was queued last: its arrival, or its last transfer
    first_offered_at TIMESTAMPTZ, -- when it was first proposed to an agent
    engaged_at TIMESTAMPTZ, -- when it was first answered
    ended_at TIMESTAMPTZ, -- when it was over
    ended_by VARCHAR, -- customer, agent, deadline or supervisor; of a blocked contact the limit: queue_full, site_full
    head_start_ms BIGINT NOT NULL, -- its priority in the queue, as time, ms
    tier SMALLINT NOT NULL, -- its tier, lower first: 2 arrival, 1 transfer
    weight INTEGER NOT NULL, -- units of an agent's capacity that it takes
    offers INTEGER NOT NULL, -- how often it was proposed to an agent
    misses INTEGER NOT NULL, -- how many of these proposals nobody answered
    transfers INTEGER NOT NULL, -- how often an agent passed it on
    wait_ms BIGINT, -- from arrival to the first answer, or to the end if there was none, ms; NULL while it waits for its first answer
    talk_ms BIGINT NOT NULL, -- sum of talk_ms over its segments that are over, ms
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE contacts_live AS FROM contacts_ended LIMIT 0;

-- One row per offer: one contact proposed to one agent.
CREATE TABLE offers_ended (
    offer BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- what was proposed
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that the contact waited in
    agent_id BIGINT NOT NULL, -- to whom
    made_at TIMESTAMPTZ NOT NULL, -- when
    deadline_at TIMESTAMPTZ NOT NULL, -- until when it could be accepted
    closed_at TIMESTAMPTZ, -- when it was over
    outcome VARCHAR NOT NULL, -- open, accepted, declined, expired (nobody answered), withdrawn
    cause VARCHAR, -- why it was withdrawn: abandoned, agent_left, restart, released
    reason_id BIGINT, -- the agent's reason for declining
    answer_ms BIGINT, -- closed_at - made_at, ms
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE offers_live AS FROM offers_ended LIMIT 0;

-- One row each time a contact and an agent had each other, with the wrap-up that followed.
CREATE TABLE segments_ended (
    segment BIGINT NOT NULL, -- its number, from 1
    contact BIGINT NOT NULL, -- who was served
    channel_id BIGINT NOT NULL, -- the contact's channel
    queue_id BIGINT NOT NULL, -- the queue that it came out of
    agent_id BIGINT NOT NULL, -- by whom
    outcome VARCHAR NOT NULL, -- open, served, transferred, connect_failed, abandoned or withdrawn (while it was connected)
    connecting_at TIMESTAMPTZ, -- when the channel was asked to connect them; NULL on an instant channel
    engaged_at TIMESTAMPTZ, -- when they began to talk
    ended_at TIMESTAMPTZ, -- when they were apart again
    talk_ms BIGINT, -- ended_at - engaged_at, ms
    wrap_up_started_at TIMESTAMPTZ, -- when the agent's after-contact work began
    wrap_up_ended_at TIMESTAMPTZ, -- when it was over
    wrap_up_ended_by VARCHAR, -- agent or deadline
    wrap_up_ms BIGINT, -- wrap_up_ended_at - wrap_up_started_at, ms
    seq BIGINT NOT NULL -- the batch that changed it last
);
CREATE TABLE segments_live AS FROM segments_ended LIMIT 0;

-- What each agent was doing when: one interval after the other since the first sign-in.
CREATE TABLE agent_states_ended (
    agent_id BIGINT NOT NULL, -- who
    started_at TIMESTAMPTZ NOT NULL, -- from when
    ended_at TIMESTAMPTZ, -- to when; NULL = until now
    state VARCHAR NOT NULL, -- declared: signed_out, not_ready, ready; signing_out = leaves after what is in hand
    reason_id BIGINT, -- why not ready, as the agent said
    locked BOOLEAN NOT NULL, -- imposed: gets no offers until a supervisor unlocks
    activity VARCHAR NOT NULL, -- in hand, the most demanding first: engaged, connecting, wrap_up, offered, idle
    duration_ms BIGINT, -- ended_at - started_at, ms
    seq BIGINT NOT NULL -- the batch that began it, or ended it
);
CREATE TABLE agent_states_live AS FROM agent_states_ended LIMIT 0;
