"""All addresses of the pages; the edge answers its own before they are asked."""

from django.urls import include, path

urlpatterns = [path("", include("mickle.web.urls"))]
