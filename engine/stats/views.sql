-- What analysts read: the tables of schema.sql with names, the conservation law, and audits.
-- These are made anew at every start, so they always fit the release.

CREATE OR REPLACE VIEW contacts AS
SELECT c.contact, channel.name AS channel, queue.name AS queue, first_queue.name AS first_queue,
    c.key, c.state, agent.name AS agent, c.arrived_at, c.enqueued_at, c.first_offered_at,
    c.engaged_at, c.ended_at, c.ended_by, c.head_start_ms, c.tier, c.weight, c.offers, c.misses,
    c.transfers, c.wait_ms, c.talk_ms, c.relaxed, c.preference_over, c.hold_ms, c.parked_ms,
    target.name AS target, c.announcements, c.overflows, c.scheduled_for, c.kept_place, c.lifted_at, c.reply_by,
    c.reserved, c.seq
FROM (FROM contacts_live UNION ALL FROM contacts_ended) AS c
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = c.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = c.queue_id
LEFT JOIN names AS first_queue ON first_queue.kind = 'queue' AND first_queue.id = c.first_queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = c.agent_id
LEFT JOIN names AS target ON target.kind = 'target' AND target.id = c.target_id;

CREATE OR REPLACE VIEW offers AS
SELECT o.offer, o.contact, channel.name AS channel, queue.name AS queue, agent.name AS agent,
    o.made_at, o.deadline_at, o.closed_at, o.outcome, o.cause, reason.name AS reason, o.answer_ms,
    o.config, configuration.hash AS config_hash, o.seq
FROM (FROM offers_live UNION ALL FROM offers_ended) AS o
LEFT JOIN (FROM configurations_live UNION ALL FROM configurations_ended) AS configuration USING (config)
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = o.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = o.queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = o.agent_id
LEFT JOIN names AS reason ON reason.kind = 'reason' AND reason.id = o.reason_id;

CREATE OR REPLACE VIEW configurations AS
SELECT config, hash, since, lead(since) OVER (ORDER BY config) AS until, seq
FROM (FROM configurations_live UNION ALL FROM configurations_ended);

CREATE OR REPLACE VIEW segments AS
SELECT s.segment, s.contact, channel.name AS channel, queue.name AS queue, agent.name AS agent,
    s.role, s.outcome, s.connecting_at, s.engaged_at, s.ended_at, s.talk_ms, s.hold_ms, s.parked_ms,
    s.wrap_up_started_at, s.wrap_up_ended_at, s.wrap_up_ended_by, s.wrap_up_ms, s.seq
FROM (FROM segments_live UNION ALL FROM segments_ended) AS s
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = s.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = s.queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = s.agent_id;

CREATE OR REPLACE VIEW choices AS
SELECT c.choice, c.contact, channel.name AS channel, queue.name AS queue, agent.name AS agent,
    c.wanted_at, c.deadline_at, c.over_at, c.agents, c.cause, c.answer_ms, c.seq
FROM (FROM choices_live UNION ALL FROM choices_ended) AS c
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = c.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = c.queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = c.agent_id;

CREATE OR REPLACE VIEW estimates AS
SELECT e.estimate, e.contact, channel.name AS channel, queue.name AS queue, e.estimated_at, e.engaged_at,
    e.estimate_ms, e.p90_ms, e.actual_ms, e.seq
FROM (FROM estimates_live UNION ALL FROM estimates_ended) AS e
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = e.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = e.queue_id;

CREATE OR REPLACE VIEW overflows AS
SELECT o.overflow, o.contact, channel.name AS channel, queue.name AS queue, o.overflowed_at, o.cause,
    to_queue.name AS to_queue, target.name AS target, o.waited_ms, o.seq
FROM (FROM overflows_live UNION ALL FROM overflows_ended) AS o
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = o.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = o.queue_id
LEFT JOIN names AS to_queue ON to_queue.kind = 'queue' AND to_queue.id = o.to_queue_id
LEFT JOIN names AS target ON target.kind = 'target' AND target.id = o.target_id;

CREATE OR REPLACE VIEW queue_hours AS
SELECT queue.name AS queue, h.started_at, h.ended_at, h.state, h.duration_ms, h.seq
FROM (FROM queue_hours_live UNION ALL FROM queue_hours_ended) AS h
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = h.queue_id;

-- How good estimated waits have been, by queue.
CREATE OR REPLACE VIEW ewt_calibration AS
SELECT queue, count(*) AS measured,
    avg((actual_ms <= p90_ms)::INTEGER) AS within_p90,
    avg(estimate_ms - actual_ms) AS mean_error_ms,
    sqrt(avg((estimate_ms - actual_ms) ** 2)) AS root_mean_square_error_ms,
    avg(estimate_ms) AS mean_estimate_ms,
    avg(actual_ms) AS mean_actual_ms
FROM estimates
GROUP BY queue;

CREATE OR REPLACE VIEW agent_states AS
SELECT agent.name AS agent, a.started_at, a.ended_at, a.state, reason.name AS reason, a.locked,
    a.activity, a.duration_ms, a.seq
FROM (FROM agent_states_live UNION ALL FROM agent_states_ended) AS a
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = a.agent_id
LEFT JOIN names AS reason ON reason.kind = 'reason' AND reason.id = a.reason_id;

-- Every contact that has ever arrived is in exactly one state; missing is 0, or something is wrong.
CREATE OR REPLACE VIEW conservation AS
SELECT arrived, scheduled, waiting, offered, connecting, engaged, served, abandoned, blocked, overflowed,
    withdrawn,
    arrived - scheduled - waiting - offered - connecting - engaged - served - abandoned - blocked
        - overflowed - withdrawn AS missing
FROM (SELECT arrived FROM applied) AS counted
CROSS JOIN (
    SELECT count(*) FILTER (state = 'scheduled') AS scheduled,
        count(*) FILTER (state = 'waiting') AS waiting,
        count(*) FILTER (state = 'offered') AS offered,
        count(*) FILTER (state = 'connecting') AS connecting,
        count(*) FILTER (state = 'engaged') AS engaged,
        count(*) FILTER (state = 'served') AS served,
        count(*) FILTER (state = 'abandoned') AS abandoned,
        count(*) FILTER (state = 'blocked') AS blocked,
        count(*) FILTER (state = 'overflowed') AS overflowed,
        count(*) FILTER (state = 'withdrawn') AS withdrawn
    FROM (SELECT state FROM contacts_live UNION ALL SELECT state FROM contacts_ended)
) AS by_state;

-- Audits: each must be empty, always. A row is a fault, and says which.

-- A contact that two agents had in hand at the same time, by offers and segments together. Offers that were made at
-- one instant ring together and count as one; who is in a contact beside the one who serves it is no fault.
CREATE OR REPLACE VIEW audit_double_assignment AS
WITH held AS (
    SELECT contact, min(agent_id) AS agent_id, made_at AS started_at,
        nullif(max(coalesce(closed_at, 'infinity'::TIMESTAMPTZ)), 'infinity'::TIMESTAMPTZ) AS ended_at
    FROM (FROM offers_live UNION ALL FROM offers_ended) GROUP BY contact, made_at
    UNION ALL
    SELECT contact, agent_id, coalesce(connecting_at, engaged_at), ended_at
    FROM (FROM segments_live UNION ALL FROM segments_ended) WHERE role = 'serves'
), ordered AS (
    SELECT contact, agent_id, started_at,
        max(coalesce(ended_at, 'infinity'::TIMESTAMPTZ)) OVER earlier AS taken_until
    FROM held
    WINDOW earlier AS (
        PARTITION BY contact ORDER BY started_at, ended_at NULLS LAST
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT contact, agent_id, started_at, taken_until FROM ordered WHERE started_at < taken_until;

-- An agent who was in two states at once.
CREATE OR REPLACE VIEW audit_agent_state_overlap AS
WITH ordered AS (
    SELECT agent_id, started_at, ended_at,
        lead(started_at) OVER (PARTITION BY agent_id ORDER BY started_at) AS next
    FROM (FROM agent_states_live UNION ALL FROM agent_states_ended)
)
SELECT agent_id, started_at, ended_at, next FROM ordered
WHERE next IS NOT NULL AND (ended_at IS NULL OR next < ended_at);

-- An agent who was in no state for a while after the first sign-in.
CREATE OR REPLACE VIEW audit_agent_state_gap AS
WITH ordered AS (
    SELECT agent_id, started_at, ended_at,
        lead(started_at) OVER (PARTITION BY agent_id ORDER BY started_at) AS next
    FROM (FROM agent_states_live UNION ALL FROM agent_states_ended)
)
SELECT agent_id, started_at, ended_at, next FROM ordered
WHERE ended_at IS NOT NULL AND (next IS NULL OR next > ended_at);

-- The conservation law, broken; or a contact that has two rows.
CREATE OR REPLACE VIEW audit_conservation AS
SELECT 'missing' AS fault, missing AS value FROM conservation WHERE missing <> 0
UNION ALL
SELECT 'contact twice', contact FROM (
    SELECT contact FROM contacts_live UNION ALL SELECT contact FROM contacts_ended
) GROUP BY contact HAVING count(*) > 1;

-- A contact whose totals differ from the sums of its parts.
CREATE OR REPLACE VIEW audit_sums AS
WITH by_offer AS (
    SELECT contact, count(*) AS offers, count(*) FILTER (outcome = 'expired') AS misses
    FROM (FROM offers_live UNION ALL FROM offers_ended) GROUP BY contact
), by_overflow AS (
    SELECT contact, count(*) AS overflows
    FROM (FROM overflows_live UNION ALL FROM overflows_ended) GROUP BY contact
), by_segment AS (
    SELECT contact, count(*) FILTER (outcome = 'transferred') AS transfers,
        coalesce(sum(talk_ms), 0) AS talk_ms,
        coalesce(sum(hold_ms) FILTER (outcome <> 'open'), 0) AS hold_ms,
        coalesce(sum(parked_ms) FILTER (outcome <> 'open'), 0) AS parked_ms
    FROM (FROM segments_live UNION ALL FROM segments_ended) WHERE role = 'serves' GROUP BY contact
)
SELECT c.contact, c.offers, o.offers AS offers_counted, c.misses, o.misses AS misses_counted,
    c.transfers, s.transfers AS transfers_counted, c.talk_ms, s.talk_ms AS talk_ms_counted,
    c.hold_ms, s.hold_ms AS hold_ms_counted, c.parked_ms, s.parked_ms AS parked_ms_counted,
    c.overflows, v.overflows AS overflows_counted
FROM (FROM contacts_live UNION ALL FROM contacts_ended) AS c
LEFT JOIN by_offer AS o USING (contact)
LEFT JOIN by_segment AS s USING (contact)
LEFT JOIN by_overflow AS v USING (contact)
WHERE c.offers <> coalesce(o.offers, 0) OR c.misses <> coalesce(o.misses, 0)
    OR c.transfers <> coalesce(s.transfers, 0) OR c.talk_ms <> coalesce(s.talk_ms, 0)
    OR c.hold_ms <> coalesce(s.hold_ms, 0) OR c.parked_ms <> coalesce(s.parked_ms, 0)
    OR c.overflows <> coalesce(v.overflows, 0);

-- An offer made to an agent who was not ready, or locked, at that instant.
CREATE OR REPLACE VIEW audit_offer_to_unavailable AS
SELECT offer, contact, agent_id, made_at
FROM (FROM offers_live UNION ALL FROM offers_ended) AS o
-- What changes at one microsecond may have come before or after: both ends of an interval count, and
-- an offer that was over at once says nothing.
WHERE made_at IS DISTINCT FROM closed_at AND NOT EXISTS (
    FROM (FROM agent_states_live UNION ALL FROM agent_states_ended) AS a
    WHERE a.agent_id = o.agent_id AND a.state = 'ready' AND NOT a.locked
        AND a.started_at <= o.made_at AND (a.ended_at IS NULL OR a.ended_at >= o.made_at)
);

-- A contact whose steps are not in the order of time, or whose state and steps do not fit.
CREATE OR REPLACE VIEW audit_times AS
SELECT contact, state, arrived_at, enqueued_at, first_offered_at, engaged_at, ended_at
FROM (FROM contacts_live UNION ALL FROM contacts_ended)
WHERE (enqueued_at < arrived_at AND NOT kept_place) OR first_offered_at < arrived_at OR engaged_at < first_offered_at
    OR ended_at < arrived_at OR ended_at < engaged_at OR wait_ms < 0 OR talk_ms < 0
    OR (state IN ('engaged', 'served') AND engaged_at IS NULL)
    OR (ended_at IS NULL) <> (state IN ('scheduled', 'waiting', 'offered', 'connecting', 'engaged'))
    OR first_offered_at < scheduled_for OR lifted_at > reply_by
    OR hold_ms > talk_ms OR parked_ms > talk_ms;

-- An agent who was in a contact beside the one who served it, while nobody did.
CREATE OR REPLACE VIEW audit_company AS
SELECT j.segment, j.contact, j.agent_id, j.engaged_at, j.ended_at
FROM (FROM segments_live UNION ALL FROM segments_ended) AS j
WHERE j.role = 'joined' AND NOT EXISTS (
    FROM (FROM segments_live UNION ALL FROM segments_ended) AS s
    WHERE s.contact = j.contact AND s.role = 'serves'
        AND s.engaged_at <= j.engaged_at AND (s.ended_at IS NULL OR s.ended_at >= j.engaged_at)
);

-- A contact that was taken into a queue, or offered, while its queue was not open: closing serves who waits already.
CREATE OR REPLACE VIEW audit_closed AS
SELECT o.offer, o.contact, o.queue_id, o.made_at
FROM (FROM offers_live UNION ALL FROM offers_ended) AS o
JOIN (FROM queue_hours_live UNION ALL FROM queue_hours_ended) AS h USING (queue_id)
WHERE h.state = 'closed' AND o.made_at > h.started_at AND (h.ended_at IS NULL OR o.made_at < h.ended_at);
