-- title en: Queues by half hour
-- title zh: 各队列半小时报表
-- formula: contacts by the half hour of their arrival (the site's time zone); service level as in service_level
-- source: contacts
WITH settings AS (SELECT 20000 AS threshold_ms, 5000 AS short_ms)
SELECT
    time_bucket(INTERVAL 30 minutes, arrived_at::TIMESTAMP) AS half_hour,
    first_queue AS queue,
    count(*) AS arrived,
    count(*) FILTER (engaged_at IS NOT NULL) AS answered,
    count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL) AS abandoned,
    count(*) FILTER (state = 'blocked') AS blocked,
    round(avg(wait_ms) FILTER (engaged_at IS NOT NULL) / 1000, 3) AS asa_s,
    round(100.0 * count(*) FILTER (engaged_at IS NOT NULL AND wait_ms <= threshold_ms) / nullif(
        answered + count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL AND wait_ms > short_ms), 0
    ), 1) AS service_level_percent
FROM contacts, settings
GROUP BY ALL
ORDER BY half_hour, queue;
