"""The SQL that marks passes as used, for any DB-API cursor with named parameters. No Django."""

import hashlib
from datetime import timedelta

KEPT_FOR = timedelta(days=90)

# {rows} is a list of [pass id, nods] as the database at hand reads JSON.
USE = """
UPDATE passes_sitepass
SET used_at = %(at)s, expires_at = %(until)s, day = %(day)s,
    used = CASE WHEN day = %(day)s THEN used + g.nods ELSE g.nods END
FROM (SELECT CAST(value->>0 AS BIGINT) AS id, CAST(value->>1 AS BIGINT) AS nods FROM {rows}) g
WHERE passes_sitepass.id = g.id
"""


def hashed(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
