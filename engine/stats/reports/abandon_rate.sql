-- title en: Abandoned contacts by queue
-- title zh: 各队列放弃率
-- formula: abandon rate = abandoned / (arrived - blocked); early = within 5 s
-- source: contacts; abandoned = the customer left before anyone answered
SELECT
    first_queue AS queue,
    count(*) AS arrived,
    count(*) FILTER (state = 'blocked') AS blocked,
    count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL) AS abandoned,
    count(*) FILTER (state = 'abandoned' AND engaged_at IS NULL AND wait_ms <= 5000) AS abandoned_early,
    round(100.0 * abandoned / nullif(arrived - blocked, 0), 1) AS abandon_percent,
    round(avg(wait_ms) FILTER (state = 'abandoned' AND engaged_at IS NULL) / 1000, 3) AS patience_s
FROM contacts
GROUP BY ALL
ORDER BY queue;
