-- What each nod that counts carries, the one place that says so: its weight times the slice, its
-- part of the remainder rounded down, and one micro more up to the cut of the largest remainders.
-- A weight of 1, by far the most, divides nothing: its part of the remainder is less than a micro.
-- Reads: s_nod(month, member, thing, weight),
--        s_split(month, member, total, slice, rem, cut_remainder, cut_thing).
-- Gives: month, member, thing, weight, amount, slice (only where it is 0 can an amount be 0).
SELECT x.month AS month, x.member AS member, x.thing AS thing, x.weight AS weight,
       CASE WHEN x.weight = 1 THEN
         p.slice + CASE WHEN p.rem > p.cut_remainder
                          OR (p.rem = p.cut_remainder AND x.thing <= p.cut_thing) THEN 1 ELSE 0 END
       ELSE
         p.slice * x.weight
         + CAST((p.rem * x.weight - (p.rem * x.weight) % p.total) / p.total AS BIGINT)
         + CASE WHEN (p.rem * x.weight) % p.total > p.cut_remainder
                  OR ((p.rem * x.weight) % p.total = p.cut_remainder AND x.thing <= p.cut_thing)
           THEN 1 ELSE 0 END
       END AS amount,
       p.slice AS slice
FROM s_nod x JOIN s_split p ON p.month = x.month AND p.member = x.member
