-- title en: Overflow by queue, cause and destination
-- title zh: 各队列溢出
-- formula: overflows = times that a contact was sent on; served = how many of them somebody answered in the end
-- source: overflows, contacts; a contact that overflowed twice counts at each of the two queues
SELECT
    o.queue,
    o.cause,
    coalesce('queue:' || o.to_queue, 'target:' || o.target) AS sent_to,
    count(*) AS overflows,
    round(avg(o.waited_ms) / 1000, 3) AS waited_s,
    count(*) FILTER (c.engaged_at >= o.overflowed_at) AS served
FROM overflows AS o
JOIN contacts AS c USING (contact)
GROUP BY ALL
ORDER BY o.queue, overflows DESC, o.cause, sent_to;
