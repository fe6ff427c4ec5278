"""All addresses of the pages; the edge answers its own before they are asked."""

from django.urls import include, path

urlpatterns = [path("", include("mickle.web.urls"))]

handler400 = "mickle.web.errors.bad_request"
handler403 = "mickle.web.errors.forbidden"
handler404 = "mickle.web.errors.not_found"
handler500 = "mickle.web.errors.broken"
