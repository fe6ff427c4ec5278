"""The pages as a WSGI application, for a server process of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
application = get_wsgi_application()

from mickle.lib import company  # noqa: E402 - Django stands first

# Whoever works for long on the same file leaves room for the requests that come.
company.serve()
