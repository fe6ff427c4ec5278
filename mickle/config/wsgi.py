"""The pages as a WSGI application, for a server process of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mickle.config.settings")
application = get_wsgi_application()
