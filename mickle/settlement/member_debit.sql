-- What of each member's spend is set aside, because nobody may receive it yet.
-- Reads: s_nod(member, thing), s_split(member, slice, last_thing), s_line(thing, owner).
-- Gives: member, waiting.
SELECT x.member AS member,
       CAST(SUM(p.slice + CASE WHEN x.thing <= p.last_thing THEN 1 ELSE 0 END) AS BIGINT) AS waiting
FROM s_line l JOIN s_nod x ON x.thing = l.thing JOIN s_split p ON p.member = x.member
WHERE l.owner IS NULL
GROUP BY x.member
