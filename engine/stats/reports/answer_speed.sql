-- title en: Speed of answer by queue
-- title zh: 各队列平均应答速度
-- formula: ASA = sum(wait of answered contacts) / number of answered contacts, in seconds
-- source: contacts; wait_ms runs from arrival, or the time that was agreed, to the first answer
SELECT
    first_queue AS queue,
    count(*) AS answered,
    round(avg(wait_ms) / 1000, 3) AS asa_s,
    round(quantile_cont(wait_ms, 0.5) / 1000, 3) AS median_s,
    round(quantile_cont(wait_ms, 0.9) / 1000, 3) AS p90_s,
    round(max(wait_ms) / 1000, 3) AS longest_s
FROM contacts
WHERE engaged_at IS NOT NULL
GROUP BY ALL
ORDER BY queue;
