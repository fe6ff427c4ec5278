"""The API: what programs ask for a member, by a token and never by a cookie.

It answers everything under /api before any session is read, in JSON, also where it refuses.
`openapi.json` says what can be asked; tests hold it against the routes and every answer.
"""
