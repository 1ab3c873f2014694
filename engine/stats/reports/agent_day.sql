-- title en: Agents by day
-- title zh: 坐席日报
-- formula: seconds in each state per day (the site's time zone); the four states sum to the time since the first sign-in of the day on which an interval began
-- source: agent_states; the open interval counts up to applied.applied_at
WITH intervals AS (
    SELECT agent, state, locked, activity, started_at::DATE AS day,
        date_diff('microsecond', started_at, coalesce(ended_at, applied_at)) / 1e6 AS length_s
    FROM agent_states, applied
)
SELECT
    day,
    agent,
    round(coalesce(sum(length_s) FILTER (state = 'ready'), 0), 3) AS ready_s,
    round(coalesce(sum(length_s) FILTER (state = 'not_ready'), 0), 3) AS not_ready_s,
    round(coalesce(sum(length_s) FILTER (state = 'signing_out'), 0), 3) AS signing_out_s,
    round(coalesce(sum(length_s) FILTER (state = 'signed_out'), 0), 3) AS signed_out_s,
    round(coalesce(sum(length_s) FILTER (locked), 0), 3) AS locked_s,
    round(coalesce(sum(length_s) FILTER (activity IN ('engaged', 'joined')), 0), 3) AS engaged_s,
    round(coalesce(sum(length_s) FILTER (activity = 'wrap_up'), 0), 3) AS wrap_up_s
FROM intervals
GROUP BY ALL
ORDER BY day, agent;
