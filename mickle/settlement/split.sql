-- How each member's spend is cut. One portable text: no parameters, no negative numbers, every
-- division exact, every sum cast back, ranks over a unique key. Runs unmodified on SQLite and
-- PostgreSQL, and is written to run on other engines too.
-- Reads: s_nod(member, thing), s_spend(member, spend).  Gives: member, n, slice, rem, last_thing.
WITH counted AS (
  SELECT member, CAST(COUNT(*) AS BIGINT) AS n FROM s_nod GROUP BY member
),
cut AS (
  SELECT s.member AS member, c.n AS n, s.spend % c.n AS rem,
         CAST((s.spend - s.spend % c.n) / c.n AS BIGINT) AS slice
  FROM s_spend s JOIN counted c ON c.member = s.member
),
ranked AS (
  SELECT x.member AS member, x.thing AS thing,
         CAST(ROW_NUMBER() OVER (PARTITION BY x.member ORDER BY x.thing) AS BIGINT) AS place
  FROM s_nod x JOIN cut ON cut.member = x.member
  WHERE cut.rem > 0
)
SELECT cut.member AS member, cut.n AS n, cut.slice AS slice, cut.rem AS rem,
       CAST(COALESCE(ranked.thing, 0) AS BIGINT) AS last_thing
FROM cut LEFT JOIN ranked ON ranked.member = cut.member AND ranked.place = cut.rem
