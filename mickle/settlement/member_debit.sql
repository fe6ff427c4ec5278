-- What of each member's spend is set aside, because nobody may receive it yet.
-- Reads: s_share(member, thing, amount), s_line(thing, owner).
-- Gives: member, waiting.
SELECT x.member AS member, CAST(SUM(x.amount) AS BIGINT) AS waiting
FROM s_line l JOIN s_share x ON x.thing = l.thing
WHERE l.owner IS NULL
GROUP BY x.member
