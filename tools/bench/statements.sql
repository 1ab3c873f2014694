-- A distributor whose state is a database: agents, members (who wait), and tiers (who serves which queue).
-- title: agent for a member
SELECT agent.position
FROM tier JOIN agent ON agent.position = tier.agent
WHERE tier.queue = ? AND agent.status = 'available' AND agent.state = 'waiting'
ORDER BY agent.free_since, agent.position
LIMIT 1;
-- title: member for an agent
SELECT member.contact
FROM tier JOIN member ON member.queue = tier.queue
WHERE tier.agent = ? AND member.state = 'waiting'
ORDER BY member.joined, member.contact
LIMIT 1;
-- title: tables
CREATE TABLE agent (position INTEGER, status TEXT, state TEXT, free_since INTEGER);
CREATE TABLE tier (queue INTEGER, agent INTEGER);
CREATE TABLE member (contact INTEGER, queue INTEGER, joined INTEGER, state TEXT);
-- title: indexes
CREATE UNIQUE INDEX agent_by_position ON agent (position);
CREATE UNIQUE INDEX tier_by_queue ON tier (queue, agent);
CREATE UNIQUE INDEX tier_by_agent ON tier (agent, queue);
CREATE UNIQUE INDEX member_by_contact ON member (contact);
CREATE INDEX member_by_queue ON member (queue, state, joined, contact);
ANALYZE;
-- title: no indexes
DROP INDEX agent_by_position;
DROP INDEX tier_by_queue;
DROP INDEX tier_by_agent;
DROP INDEX member_by_contact;
DROP INDEX member_by_queue;
DELETE FROM sqlite_stat1;
