-- What each owner receives: the sum of the lines, gross and fee.
-- Reads: s_line(thing, owner, gross, fee).  Gives: owner, gross, fee.
SELECT owner, CAST(SUM(gross) AS BIGINT) AS gross, CAST(SUM(fee) AS BIGINT) AS fee
FROM s_line WHERE owner IS NOT NULL GROUP BY owner
