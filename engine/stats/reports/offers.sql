-- title en: Offers by agent
-- title zh: 坐席派单结果
-- formula: RONA rate = expired / (accepted + declined + expired); withdrawn offers are nobody's fault
-- source: offers
SELECT
    agent,
    count(*) AS offers,
    count(*) FILTER (outcome = 'accepted') AS accepted,
    count(*) FILTER (outcome = 'declined') AS declined,
    count(*) FILTER (outcome = 'expired') AS expired,
    count(*) FILTER (outcome = 'withdrawn') AS withdrawn,
    round(100.0 * expired / nullif(accepted + declined + expired, 0), 1) AS rona_percent,
    round(avg(answer_ms) FILTER (outcome = 'accepted') / 1000, 3) AS accept_s
FROM offers
GROUP BY ALL
ORDER BY agent;
