-- title en: Estimated against actual waits by queue
-- title zh: 各队列预计与实际等待对比
-- formula: within_p90 = share of measured contacts that waited no longer than the announced P90; error = mean of estimate - actual, in seconds
-- source: ewt_calibration; docs/en/estimates.md says which contacts are measured
SELECT
    queue,
    measured,
    round(within_p90, 4) AS within_p90,
    round(mean_error_ms / 1000, 3) AS mean_error_s,
    round(root_mean_square_error_ms / 1000, 3) AS root_mean_square_error_s,
    round(mean_estimate_ms / 1000, 3) AS mean_estimate_s,
    round(mean_actual_ms / 1000, 3) AS mean_actual_s
FROM ewt_calibration
ORDER BY queue;
