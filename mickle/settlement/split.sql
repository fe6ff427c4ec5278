-- How each member's spend is cut, by the weights of the nods: largest remainder first, then the
-- lowest thing. One portable text: no parameters, no negative numbers, every division exact, every
-- sum cast back, ranks over a unique key. Runs unmodified on SQLite and PostgreSQL, and is written
-- to run on other engines too.
-- Reads: s_nod(member, thing, weight), s_spend(member, spend).
-- Gives: member, n, total, slice, rem, cut_remainder, cut_thing.
WITH counted AS (
  SELECT member, CAST(COUNT(*) AS BIGINT) AS n, CAST(SUM(weight) AS BIGINT) AS total
  FROM s_nod GROUP BY member
),
cut AS (
  SELECT s.member AS member, c.n AS n, c.total AS total, s.spend % c.total AS rem,
         CAST((s.spend - s.spend % c.total) / c.total AS BIGINT) AS slice
  FROM s_spend s JOIN counted c ON c.member = s.member
),
-- All weights 1: every remainder is rem, and so is the number of micros more. CROSS JOIN keeps
-- SQLite to the order written here, in which the nods come sorted.
even AS (
  SELECT x.member AS member, cut.n AS n, cut.slice AS slice, cut.rem AS rem, x.thing AS thing,
         CAST(ROW_NUMBER() OVER (PARTITION BY x.member ORDER BY x.thing) AS BIGINT) AS place
  FROM s_nod x CROSS JOIN cut
  WHERE cut.member = x.member AND cut.total = cut.n AND cut.rem > 0
),
-- Others, few: here the order written looks up their nods alone.
uneven AS (
  SELECT cut.member AS member, cut.n AS n, cut.total AS total, cut.slice AS slice, cut.rem AS rem,
         x.thing AS thing, (cut.rem * x.weight) % cut.total AS remainder
  FROM cut CROSS JOIN s_nod x
  WHERE x.member = cut.member AND cut.total > cut.n AND cut.rem > 0
),
-- The remainders sum to the micros more times the total, and the last of these carries the cut.
ranked AS (
  SELECT member, n, total, slice, rem, thing, remainder,
         CAST(SUM(remainder) OVER (PARTITION BY member) AS BIGINT) AS left_over,
         CAST(ROW_NUMBER() OVER (PARTITION BY member ORDER BY remainder DESC, thing) AS BIGINT)
           AS place
  FROM uneven
)
SELECT member, n, n AS total, slice, rem, rem AS cut_remainder, thing AS cut_thing
FROM even WHERE place = rem
UNION ALL
SELECT member, n, total, slice, rem, remainder AS cut_remainder,
       CASE WHEN remainder > 0 THEN thing ELSE 0 END AS cut_thing
FROM ranked WHERE place * total = left_over OR (left_over = 0 AND place = 1)
UNION ALL
SELECT member, n, total, slice, rem, 0 AS cut_remainder, 0 AS cut_thing
FROM cut WHERE rem = 0
