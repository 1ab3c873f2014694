-- title en: Service level by queue
-- title zh: 各队列服务水平
-- formula: answered within 20 s / (answered + abandoned after more than 5 s); contacts count where they arrived
-- source: contacts. 20 s is the "80/20" convention of contact centres; those who leave within 5 s gave no chance to answer
WITH settings AS (SELECT 20000 AS threshold_ms, 5000 AS short_ms)
SELECT
    first_queue AS queue,
    count(*) AS arrived,
    count(*) FILTER (engaged_at IS NOT NULL) AS answered,
    count(*) FILTER (engaged_at IS NOT NULL AND wait_ms <= threshold_ms) AS answered_in_time,
    count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL AND wait_ms > short_ms) AS abandoned_late,
    count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL AND wait_ms <= short_ms) AS abandoned_early,
    round(100.0 * answered_in_time / nullif(answered + abandoned_late, 0), 1) AS service_level_percent
FROM contacts, settings
GROUP BY ALL
ORDER BY queue;
