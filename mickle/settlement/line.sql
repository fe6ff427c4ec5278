-- One line per thing: how many nods paid, what they came to, and the fee of the sum.
-- floor(gross * bp / 10000) is taken in two parts so that it never leaves 64 bits.
-- Reads: s_share(thing, amount, slice), s_thing(thing, owner), s_rate(bp).
-- Gives: thing, owner (null: it waits), nods, gross, fee.
WITH summed AS (
  SELECT thing, CAST(COUNT(*) AS BIGINT) AS nods, CAST(SUM(amount) AS BIGINT) AS gross
  FROM s_share WHERE slice > 0 OR amount > 0 GROUP BY thing
)
SELECT s.thing AS thing, t.owner AS owner, s.nods AS nods, s.gross AS gross,
       CASE WHEN t.owner IS NULL THEN 0 ELSE
         CAST((s.gross - s.gross % 10000) / 10000 AS BIGINT) * r.bp
         + CAST(((s.gross % 10000) * r.bp - ((s.gross % 10000) * r.bp) % 10000) / 10000 AS BIGINT)
       END AS fee
FROM summed s JOIN s_thing t ON t.thing = s.thing CROSS JOIN s_rate r
