"""What other sites embed: the number on a button, as JSON and drawn as SVG.

Deeds: answer GET and HEAD under /b/. A plain ASGI callable without Django's request, no cookies
read or set, nothing written. Counts are read in one thread of its own, fresh within a second.
Only the dispatcher calls it; it knows no money.
"""
