"""Pages: what a browser sees. Owns no table.

A view reads the request, calls one verb of a room's door and writes the answer. No GET records
anything. Every page is complete without JavaScript and holds under a strict content security
policy, so templates carry no `style=` and no inline script.
"""
