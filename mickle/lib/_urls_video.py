"""Rules of sites that show videos: a video is its id, wherever it plays."""

import re
from uuid import UUID

from mickle.lib._urls_page import Page, lowered, pairs_of, spoken

_VIDEO = re.compile(r"([A-Za-z0-9_-]{11})(?:&.*)?")
# Words of as many letters as a video's id that stand in its place.
_NO_VIDEO = ("videoseries", "live_stream")
_VIDEO_PATH = re.compile(r"/(?:embed|shorts|live|vi?|e|watch)/([A-Za-z0-9_-]{11})(?:&.*)?")
_CHANNEL = re.compile(r"/(@[^/]+|(?:channel|c|user)/[^/]+)(?:/(featured)|/.+)?")
_YOUTUBE_MARKS = ("si", "feature", "pp", "ab_channel", "app", "sub_confirmation", "view_as")
# These show what YouTube shows at every address; the others only videos, lists and channels.
_YOUTUBE_WHOLE = ("youtube.com", "m.youtube.com")
_ONLY_FRAMES = ("youtube-nocookie.com", "youtube.googleapis.com")

_VIMEO_VIDEO = re.compile(
    r"(?:/(?:video|channels/[^/]+|groups/[^/]+/videos|(?:album|showcase)/[0-9]+/video))?/([0-9]+)"
    r"(?:/([0-9a-f]{8,12}))?"
)

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SHORT_LETTERS = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
_SHORT = "[1-9A-HJ-NP-Za-km-z]{22}"
_PEERTUBE = re.compile(
    rf"/(?:w|videos/watch|videos/embed|(w/p|videos/watch/playlist|video-playlists/embed))"
    rf"/({_UUID}|{_SHORT})"
)
_UUID_VERSION = 4


def youtube(page: Page) -> Page:
    """A video is its eleven characters, wherever it plays; a handle has no capitals."""
    path = page.path.rstrip("/")
    if video := _youtube_video(page, path):
        return Page("youtube.com", "/watch", (f"v={video}",))
    listed = page.value("list")
    if listed and path in ("/playlist", "/embed/videoseries"):
        return Page("youtube.com", "/playlist", (f"list={listed}",))
    path = path.replace("/%40", "/@", 1) if path.startswith("/%40") else path
    channel = _CHANNEL.fullmatch(path)
    if page.host in _ONLY_FRAMES or (page.host not in _YOUTUBE_WHOLE and channel is None):
        return page
    page = page.at("youtube.com", page.path).without(*_YOUTUBE_MARKS)
    return page if channel is None else page.at(page.host, _channel(channel))


def _channel(found: re.Match[str]) -> str:
    whole, name = found[0], found[1]
    below = "" if found[2] else whole[len(name) + 1 :]
    return f"/{lowered(name) if name.startswith('@') else name}{below}"


def _youtube_video(page: Page, path: str) -> str:
    """The id of the video a page shows, or the empty text."""
    if path in ("/watch", "/watch_popup"):
        found = _VIDEO.fullmatch(page.value("v"))
    elif path == "/attribution_link":
        inner, _mark, query = spoken(page.value("u")).partition("?")
        named = Page("", inner, pairs_of(query)).value("v")
        found = _VIDEO.fullmatch(named) if inner == "/watch" else None
    else:
        found = _VIDEO_PATH.fullmatch(path)
    return found[1] if found and found[1] not in _NO_VIDEO else ""


def youtu_be(page: Page) -> Page:
    """The short form of YouTube: the path is the video."""
    found = _VIDEO.fullmatch(page.path.strip("/"))
    if found and found[1] not in _NO_VIDEO:
        return Page("youtube.com", "/watch", (f"v={found[1]}",))
    return page


def vimeo(page: Page) -> Page:
    """A video is its number; one with a key is private and no other."""
    found = _VIMEO_VIDEO.fullmatch(page.path.rstrip("/"))
    if found is None:
        return page
    number, key = found.groups()
    if page.has("h"):
        given = page.value("h")
        if key or not re.fullmatch(r"[0-9a-f]{8,12}", given):
            return page
        key = given
    return Page("vimeo.com", f"/{number}/{key}" if key else f"/{number}")


def peertube(page: Page) -> Page:
    """A video is its UUID, in full or in PeerTube's short spelling, at the instance it is at."""
    found = _PEERTUBE.fullmatch(page.path.rstrip("/"))
    uuid = _long(found[2]) if found else ""
    if found is None or not uuid:
        return page
    return Page(page.host, f"/w/p/{uuid}" if found[1] else f"/w/{uuid}")


def _long(spelling: str) -> str:
    """The UUID a spelling of 22 letters stands for; empty where that is no UUID that is drawn."""
    if "-" in spelling:
        return spelling
    number = 0
    for letter in spelling:
        number = number * len(_SHORT_LETTERS) + _SHORT_LETTERS.index(letter)
    if number >> 128:
        return ""
    uuid = UUID(int=number)
    return str(uuid) if uuid.version == _UUID_VERSION else ""
