-- title en: Handling time by queue
-- title zh: 各队列平均处理时长
-- formula: AHT = (talk + wrap-up) / segments that are wholly over, in seconds
-- source: segments of those who served; a transferred contact was handled twice; talk has hold and parked in it
SELECT
    queue,
    count(*) AS handled,
    round(avg(talk_ms) / 1000, 3) AS talk_s,
    round(avg(hold_ms) / 1000, 3) AS hold_s,
    round(avg(parked_ms) / 1000, 3) AS parked_s,
    round(avg(coalesce(wrap_up_ms, 0)) / 1000, 3) AS wrap_up_s,
    round(avg(talk_ms + coalesce(wrap_up_ms, 0)) / 1000, 3) AS aht_s
FROM segments
WHERE role = 'serves' AND engaged_at IS NOT NULL AND ended_at IS NOT NULL
    AND (wrap_up_started_at IS NULL OR wrap_up_ended_at IS NOT NULL)
GROUP BY ALL
ORDER BY queue;
