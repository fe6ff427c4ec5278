"""The SQL that says who has a part of what through a team, for any DB-API cursor. No Django."""

# {asked} is a SELECT of (place, thing, member). Of a thing the newest word of its keeper counts,
# and of a team the newest agreement; teams may be in teams.
PARTNERS = """
WITH RECURSIVE asked AS ({asked}),
inside AS (
  SELECT g.place AS place, g.member AS member, (
    SELECT p.team_id FROM teams_putin p
    WHERE p.keeper_id = t.owner_id AND p.from_month <= %(month)s
      AND (p.thing_id = t.id OR (p.thing_id IS NULL AND p.scope_id = t.scope_id))
    ORDER BY p.from_month DESC, p.id DESC LIMIT 1
  ) AS party
  FROM asked g JOIN things_thing t ON t.id = g.thing
  UNION
  SELECT i.place, i.member, c.party_id
  FROM inside i
  JOIN teams_percent c ON c.agreement_id = (
    SELECT a.id FROM teams_agreement a
    WHERE a.team_id = i.party AND a.state = 'AGREED' AND a.from_month <= %(month)s
    ORDER BY a.from_month DESC, a.id DESC LIMIT 1
  )
)
SELECT place, member FROM inside WHERE party = member
"""
