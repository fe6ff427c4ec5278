"""What other sites embed: counts, buttons, scripts, live streams, and the clicks of buttons.

Deeds: answer GET and HEAD under /b/ and /live, and POST under /c/. A plain ASGI callable without
Django's request. Under /b/ no cookie is read or set and nothing is written; under /c/ a site pass
gives and takes back nods of its site. Counts are fresh within a second. Only the dispatcher and the
server's protocol call it; it knows no money.
"""
