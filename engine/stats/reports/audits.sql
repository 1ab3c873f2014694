-- title en: Audits
-- title zh: 自检
-- formula: rows in each audit view; every number must be 0
-- source: views audit_*
SELECT 'conservation' AS audit, count(*) AS faults FROM audit_conservation
UNION ALL SELECT 'double_assignment', count(*) FROM audit_double_assignment
UNION ALL SELECT 'agent_state_overlap', count(*) FROM audit_agent_state_overlap
UNION ALL SELECT 'agent_state_gap', count(*) FROM audit_agent_state_gap
UNION ALL SELECT 'sums', count(*) FROM audit_sums
UNION ALL SELECT 'offer_to_unavailable', count(*) FROM audit_offer_to_unavailable
UNION ALL SELECT 'times', count(*) FROM audit_times
UNION ALL SELECT 'company', count(*) FROM audit_company
UNION ALL SELECT 'closed', count(*) FROM audit_closed;
