-- title en: Occupancy by agent
-- title zh: 坐席占用率
-- formula: occupancy = working / (working + available); working = engaged, joined, connecting or wrap-up; available = ready, not locked and without any of these
-- source: agent_states; the open interval counts up to applied.applied_at
WITH intervals AS (
    SELECT agent, state, locked, activity,
        date_diff('microsecond', started_at, coalesce(ended_at, applied_at)) / 1e6 AS length_s
    FROM agent_states, applied
)
SELECT
    agent,
    round(coalesce(sum(length_s) FILTER (activity IN ('engaged', 'joined', 'connecting', 'wrap_up')), 0), 3) AS working_s,
    round(coalesce(sum(length_s) FILTER (
        state = 'ready' AND NOT locked AND activity IN ('idle', 'offered', 'parked')), 0), 3) AS available_s,
    round(100 * working_s / nullif(working_s + available_s, 0), 1) AS occupancy_percent
FROM intervals
GROUP BY ALL
ORDER BY agent;
