"""The playground: a form that builds the button for a page and shows it as it will be there."""

from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from mickle.lib import urls
from mickle.lib.errors import Refused
from mickle.web import access, headers, paths
from mickle.web.forms import AddressField

_EXAMPLE = "https://example.org/essay"
# In a frame the compact one is 24 high, for fingers.
PIXELS = {"wide": (160, 36), "compact": (110, 24), "tall": (55, 62)}
THEMES = {
    "auto": gettext_lazy("as the system"),
    "light": gettext_lazy("light"),
    "dark": gettext_lazy("dark"),
}
LANGUAGES = {
    "en": "English: Nod",
    "de": "Deutsch: Danke",
    "ar": "العربية: شكرا",
    "fr": "Français : Merci",
    "es": "Español: Gracias",
    "sv": "Svenska: Tack",
}
_LABELS = {name: text.split(":")[1].strip() for name, text in LANGUAGES.items()}


class ButtonForm(forms.Form):
    """What a button is made of; every parameter of the element."""

    url = AddressField(label=gettext_lazy("Address of your page"))
    title = forms.CharField(
        label=gettext_lazy("Its title"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For people who hear the button."),
    )
    size = forms.ChoiceField(
        label=gettext_lazy("Size"),
        choices=[(name, f"{name} {w}×{h}") for name, (w, h) in PIXELS.items()],
    )
    theme = forms.ChoiceField(label=gettext_lazy("Colour"), choices=list(THEMES.items()))
    lang = forms.ChoiceField(label=gettext_lazy("Language"), choices=list(LANGUAGES.items()))
    live = forms.BooleanField(
        label=gettext_lazy("Live: the count moves as people nod"), required=False
    )

    def clean_url(self) -> str:
        """Only an address a nod can be for."""
        try:
            return urls.identify(self.cleaned_data["url"]).url
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from refused


@access.read_page
def playground(request: HttpRequest) -> HttpResponse:
    """Build a button from its parameters; without scripts, one press of Show."""
    first = {"url": _EXAMPLE, "size": "wide", "theme": "auto", "lang": _language()}
    form = ButtonForm(first | request.GET.dict(), auto_id="button-%s")
    pages = paths.base(request)
    button = settings.BUTTON_ORIGIN or pages
    context: dict[str, Any] = {"form": form, "script": f"{settings.BUTTON_ORIGIN}/b/b.js"}
    if settings.BUTTON_ORIGIN:
        context["pages"] = pages
    if form.is_valid():
        asked = form.cleaned_data
        context["preview"] = element(asked, pages="", button=settings.BUTTON_ORIGIN)
        context["snippets"] = [
            {"name": _("Element"), "code": _script(pages, button) + element(asked, pages, button)},
            {"name": _("Frame, where no script may run"), "code": frame(asked, button)},
            {"name": _("Where your page has a policy"), "code": _needs(button)},
        ]
    response = render(request, "front/playground.html", context)
    response.headers["Content-Security-Policy"] = policy(settings.BUTTON_ORIGIN)
    return response


def element(asked: dict[str, Any], pages: str, button: str) -> SafeString:
    """The element with the link inside it, which stands there until the script has run."""
    width, height = PIXELS[asked["size"]]
    link = f"{pages}/nod?url={quote(asked['url'], safe='')}"
    picture = f"{button}/b/count.svg?{urlencode(_drawn(asked))}"
    text = (
        f"<mickle-button{_attributes(asked)}>\n"
        f'  <a href="{escape(link)}"\n     rel="payment nofollow" target="_blank">'
        f'<img\n     src="{escape(picture)}"\n     width="{width}" height="{height}"'
        f' alt="{escape(_LABELS[asked["lang"]])}"></a></mickle-button>'
    )
    return mark_safe(text)  # noqa: S308 - every value is escaped above


def frame(asked: dict[str, Any], button: str) -> str:
    """The frame by hand."""
    width, height = PIXELS[asked["size"]]
    query = _drawn(asked) | ({"title": asked["title"]} if asked["title"] else {})
    return (
        f'<iframe src="{escape(f"{button}/b/frame?{urlencode(query)}")}"\n'
        f'  title="{escape(asked["title"] or _LABELS[asked["lang"]])}" width="{width}"'
        f' height="{height}" loading="lazy"\n'
        '  referrerpolicy="origin" style="border:0;color-scheme:light"></iframe>'
    )


def policy(button: str) -> str:
    """The policy of all pages, and the button's origin where it differs."""
    found = headers.POLICY
    for name in ("script-src", "img-src", "connect-src"):
        found = found.replace(f"{name} 'self'", f"{name} 'self' {button}".rstrip())
    return f"{found}; frame-src " + (button or "'self'")


def _script(pages: str, button: str) -> str:
    named = "" if button == pages else f' data-pages="{escape(pages)}"'
    return f'<script async src="{escape(button)}/b/b.js"{named}></script>\n'


def _needs(button: str) -> str:
    return "\n".join(
        f"{name} {button};" for name in ("script-src", "frame-src", "connect-src", "img-src")
    )


def _attributes(asked: dict[str, Any]) -> str:
    plain = {"size": "wide", "theme": "auto", "title": "", "lang": ""}
    named = {"url": asked["url"]} | {
        name: asked[name]
        for name in ("title", "size", "theme", "lang")
        if asked[name] != plain[name]
    }
    text = "".join(f' {name}="{escape(value)}"' for name, value in named.items())
    return text + (" live" if asked["live"] else "")


def _drawn(asked: dict[str, Any]) -> dict[str, str]:
    """The parameters of the picture and the frame that are not as they are anyway."""
    plain = {"size": "wide", "theme": "auto", "lang": "en"}
    return {"url": asked["url"]} | {
        name: asked[name] for name in plain if asked[name] != plain[name]
    }


def _language() -> str:
    found = (get_language() or "en")[:2]
    return found if found in LANGUAGES else "en"
