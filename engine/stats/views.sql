-- What analysts read: the tables of schema.sql with names, the conservation law, and audits.
-- These are made anew at every start, so they always fit the release.

CREATE OR REPLACE VIEW contacts AS
SELECT c.contact, channel.name AS channel, queue.name AS queue, first_queue.name AS first_queue,
    c.key, c.state, agent.name AS agent, c.arrived_at, c.enqueued_at, c.first_offered_at,
    c.engaged_at, c.ended_at, c.ended_by, c.head_start_ms, c.tier, c.weight, c.offers, c.misses,
    c.transfers, c.wait_ms, c.talk_ms, c.seq
FROM (FROM contacts_live UNION ALL FROM contacts_ended) AS c
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = c.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = c.queue_id
LEFT JOIN names AS first_queue ON first_queue.kind = 'queue' AND first_queue.id = c.first_queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = c.agent_id;

CREATE OR REPLACE VIEW offers AS
SELECT o.offer, o.contact, channel.name AS channel, queue.name AS queue, agent.name AS agent,
    o.made_at, o.deadline_at, o.closed_at, o.outcome, o.cause, reason.name AS reason, o.answer_ms, o.seq
FROM (FROM offers_live UNION ALL FROM offers_ended) AS o
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = o.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = o.queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = o.agent_id
LEFT JOIN names AS reason ON reason.kind = 'reason' AND reason.id = o.reason_id;

CREATE OR REPLACE VIEW segments AS
SELECT s.segment, s.contact, channel.name AS channel, queue.name AS queue, agent.name AS agent,
    s.outcome, s.connecting_at, s.engaged_at, s.ended_at, s.talk_ms, s.wrap_up_started_at,
    s.wrap_up_ended_at, s.wrap_up_ended_by, s.wrap_up_ms, s.seq
FROM (FROM segments_live UNION ALL FROM segments_ended) AS s
LEFT JOIN names AS channel ON channel.kind = 'channel' AND channel.id = s.channel_id
LEFT JOIN names AS queue ON queue.kind = 'queue' AND queue.id = s.queue_id
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = s.agent_id;

CREATE OR REPLACE VIEW agent_states AS
SELECT agent.name AS agent, a.started_at, a.ended_at, a.state, reason.name AS reason, a.locked,
    a.activity, a.duration_ms, a.seq
FROM (FROM agent_states_live UNION ALL FROM agent_states_ended) AS a
LEFT JOIN names AS agent ON agent.kind = 'agent' AND agent.id = a.agent_id
LEFT JOIN names AS reason ON reason.kind = 'reason' AND reason.id = a.reason_id;

-- Every contact that has ever arrived is in exactly one state; missing is 0, or something is wrong.
CREATE OR REPLACE VIEW conservation AS
SELECT arrived, waiting, offered, connecting, engaged, served, abandoned, blocked, overflowed, withdrawn,
    arrived - waiting - offered - connecting - engaged - served - abandoned - blocked - overflowed
        - withdrawn AS missing
FROM (SELECT arrived FROM applied) AS counted
CROSS JOIN (
    SELECT count(*) FILTER (state = 'waiting') AS waiting,
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

-- A contact that two agents had in hand at the same time, by offers and segments together.
CREATE OR REPLACE VIEW audit_double_assignment AS
WITH held AS (
    SELECT contact, agent_id, made_at AS started_at, closed_at AS ended_at
    FROM (FROM offers_live UNION ALL FROM offers_ended)
    UNION ALL
    SELECT contact, agent_id, coalesce(connecting_at, engaged_at), ended_at
    FROM (FROM segments_live UNION ALL FROM segments_ended)
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
), by_segment AS (
    SELECT contact, count(*) FILTER (outcome = 'transferred') AS transfers,
        coalesce(sum(talk_ms), 0) AS talk_ms
    FROM (FROM segments_live UNION ALL FROM segments_ended) GROUP BY contact
)
SELECT c.contact, c.offers, o.offers AS offers_counted, c.misses, o.misses AS misses_counted,
    c.transfers, s.transfers AS transfers_counted, c.talk_ms, s.talk_ms AS talk_ms_counted
FROM (FROM contacts_live UNION ALL FROM contacts_ended) AS c
LEFT JOIN by_offer AS o USING (contact)
LEFT JOIN by_segment AS s USING (contact)
WHERE c.offers <> coalesce(o.offers, 0) OR c.misses <> coalesce(o.misses, 0)
    OR c.transfers <> coalesce(s.transfers, 0) OR c.talk_ms <> coalesce(s.talk_ms, 0);

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
WHERE enqueued_at < arrived_at OR first_offered_at < arrived_at OR engaged_at < first_offered_at
    OR ended_at < arrived_at OR ended_at < engaged_at OR wait_ms < 0 OR talk_ms < 0
    OR (state IN ('engaged', 'served') AND engaged_at IS NULL)
    OR (ended_at IS NULL) <> (state IN ('waiting', 'offered', 'connecting', 'engaged'));
