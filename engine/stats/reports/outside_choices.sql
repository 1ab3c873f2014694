-- title en: Choices of strategies from outside
-- title zh: 外部策略的选择
-- formula: choices by how they ended, of those that are over; answered in time = chosen + not_eligible + left_to_fallback
-- source: choices; a choice is dropped when its contact leaves or changes before it is over
SELECT
    queue,
    count(*) AS asked,
    count(*) FILTER (cause = 'chosen') AS chosen,
    count(*) FILTER (cause = 'left_to_fallback') AS left_to_fallback,
    count(*) FILTER (cause = 'not_eligible') AS not_eligible,
    count(*) FILTER (cause = 'deadline') AS deadline,
    count(*) FILTER (cause = 'dropped') AS dropped,
    round(avg(answer_ms) FILTER (cause IN ('chosen', 'left_to_fallback', 'not_eligible')), 1) AS answer_ms,
    round(100.0 * chosen / nullif(asked - dropped, 0), 1) AS chosen_percent
FROM choices
WHERE cause IS NOT NULL
GROUP BY ALL
ORDER BY queue;
