"""First words of sites' own pages, and names of their own hosts: no accounts of people."""

from mickle.lib._words import words

# First words of GitHub's own pages: what stands below them is no repository.
GITHUB = words(
    """about account advisories apps blog business careers codespaces collections community
    contact copilot customer-stories dashboard discussions education enterprise events explore
    features gist github-copilot home images integrations issues join login logout marketplace
    mobile models new news nonprofits notifications open-source organizations orgs pages partners
    personal premium-support pricing pulls readme search security sessions settings showcases
    signin signup site sitemap solutions sponsors stars status support team teams topics trending
    users watching why-github wiki works-with"""
)
GITLAB = words(
    """- admin api assets autocomplete dashboard explore files groups help import invites jwt
    login oauth profile projects public s search sitemap snippets unsubscribes uploads user users
    v2"""
)
# Words that cannot be the name of a GitLab project: what follows them has capitals.
GITLAB_WORDS = words(
    """- archive badges blame blob branches builds commit commits compare container_registry edit
    environments files find_file graphs issues jobs labels merge_requests milestones network new
    pipelines raw refs releases settings snippets tags tree update uploads wikis"""
)
CODEBERG = words(
    """admin api assets attachments avatars captcha explore issues login metrics milestones
    notifications org pulls repo repo-avatars report_abuse search swagger user v2"""
)
# First words of Tumblr's own pages, and its own hosts: no blogs.
TUMBLR = words(
    """about activity ads api apps ask assets audio audio_file blog business communities community
    dashboard docs edit embed explore follow followers following gifts help image inbox jobs liked
    likes live login logout media new oauth photo policy post press privacy radar reblog register
    search settings share shop spotlight staff-picks static submit support svc tagged theme themes
    video view widgets www"""
)
MEDIUM = words(
    """about api blog cdn cdn-images-1 cdn-images-2 creators engineering glyph help jobs link m
    medium miro newsletter partners policy press rsci status support trust writers"""
)
X = words(
    """about account articles bookmarks compose download explore following hashtag hashtags home i
    intent jobs lists login logout messages moments notifications oauth privacy search
    search-advanced search-home settings share signup tos topics tweet who_to_follow
    widgets"""
)
INSTAGRAM = words(
    """about accounts ar archive challenge create developer direct directory emails explore legal p
    press privacy reel reels s session stories terms tv web"""
)
SOUNDCLOUD = words(
    """advertising apps artist-forums artists charts community-guidelines company connect creators
    discover download feed for-artists getstarted go help imprint insights jobs legal login logout
    messages mobile monetization notifications pages partners people player popular premium press
    privacy pro search settings signin signup stations stream subscriptions tags terms-of-use
    tracks transparency upload you"""
)
VIMEO = words(
    """about album albums api apps blog business careers categories channels colleges contact cookie
    create customers developer discover donate enterprise event events explore features festival
    for-hire forums groups help home https integrations inbox jobs join learn live log_in log_out
    login logout live-streaming m manage marketers marketplace messages musicstore ondemand ott
    partners plus press pricing privacy pro professionals psp purchases review search security
    settings showcase showcases signup site_map solutions staffpicks stats stock store subscribe
    tag tags team terms upgrade upload user vids video videos videoschool vod watch watchlater
    workspaces"""
)
FACEBOOK = words(
    """about ads business dialog directory events fundraisers gaming groups hashtag help home
    l.php legal login logout marketplace me media messages notes pages people permalink.php photo
    photo.php photos plugins policies policy posts privacy profile.php public reel reels search
    settings share sharer sharer.php stories story.php terms video videos watch"""
)
FLICKR = words("tags upload search organize friends contacts me flickrcentral")
BANDCAMP = words(
    "api blog bootstrap daily f4 get help isrc mobile my shop status support t4 updates www"
)
# By host, for hosts whose first word in the path is an account.
RESERVED: dict[str, frozenset[str]] = {
    "github.com": GITHUB,
    "gist.github.com": frozenset({"discover", "forked", "join", "login", "search", "starred"}),
    "gitlab.com": GITLAB,
    "codeberg.org": CODEBERG,
    "tumblr.com": TUMBLR,
    "x.com": X,
    "instagram.com": INSTAGRAM,
    "soundcloud.com": SOUNDCLOUD,
    "vimeo.com": VIMEO,
    "facebook.com": FACEBOOK,
}
