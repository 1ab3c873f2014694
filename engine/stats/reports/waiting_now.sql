-- title en: Waiting now
-- title zh: 当前排队
-- formula: contacts that wait or are being offered; longest = now - the time since which the oldest waits, where now is applied.applied_at
-- source: contacts, applied
SELECT
    queue,
    count(*) FILTER (state = 'waiting') AS waiting,
    count(*) FILTER (state = 'offered') AS offered,
    round(max(date_diff('microsecond', coalesce(scheduled_for, arrived_at), applied_at)) / 1e6, 3) AS longest_s
FROM contacts, applied
WHERE state IN ('waiting', 'offered')
GROUP BY ALL
ORDER BY queue;
