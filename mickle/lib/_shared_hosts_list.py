"""Hosts that belong to many, which the public suffix list does not know: data, no rules."""

from mickle.lib._words import words

# Everybody has a subdomain here.
SUBDOMAINS = words(
    """
    000webhostapp.com 3dn.ru 4everland.app 8b.io adaptable.app adobeportfolio.com altervista.org
    angelfire.com artstation.com at.ua atlassian.net atwebpages.com bandcamp.com bandzoogle.com
    base.shop bearblog.dev beehiiv.com beepworld.de beget.tech bigcartel.com bitbucket.io
    blog.cz blog.fc2.com blog.hu blog.jp blog.ru blog.shinobi.jp blog.ss-blog.jp blog4ever.com
    blogas.lt blogdrive.com blogfree.net blogg.no blogg.se blogia.com blogs.sapo.pt blogsome.com
    blogspot.com blot.im blubrry.net boards.net bolt.host booth.pm bravejournal.net
    bravesites.com brizy.site bsky.social bubbleapps.io buzzsprout.com byethost.com
    canalblog.com canny.io captivate.fm carbonmade.com cargo.site carrd.co castos.com
    centerblog.net chez-alice.fr chez.com circle.so ck.page clan.su clickfunnels.com
    club-internet.fr cms.webnode.com cocolog-nifty.com codeberg.page company.site contently.com
    crd.co creator-spring.com crevado.com csb.app cyclic.app dds.nl de.tl deadjournal.com
    demon.co.uk deno.dev deviantart.com diary.ru diaryland.com discourse.group do.am
    doodlekit.com doorblog.jp dreamwidth.org dunked.com e-monsite.com edgeone.app edublogs.org
    egloos.com eklablog.com eklablog.fr etsy.com exblog.jp fabrik.io fanbox.cc fandom.com
    farbox.com fc2.net firebaseapp.com fireside.fm fly.dev format.com forumactif.com
    forumotion.com forumsmotion.com framer.ai framer.app framer.website free.fr freeforums.net
    freehostia.com freeserve.co.uk freeservers.com freshdesk.com gamepedia.com ghost.io
    gitbook.io github.io gitlab.io glitch.me gumroad.com hashnode.dev hateblo.jp hatenablog.com
    hatenablog.jp hatenadiary.com hatenadiary.jp hatenadiary.org hautetfort.com hearnow.com
    helpscoutdocs.com herokuapp.com hf.space home.xs4all.nl homestead.com hubpages.com
    hubspotpagebuilder.com insanejournal.com itch.io jimdo.com jimdofree.com jimdosite.com
    journoportfolio.com jugem.jp kinja.com kinsta.page koyeb.app leadpages.co lemonsqueezy.com
    letscast.fm lhr.life libsyn.com listal.com livedoor.biz livedoor.blog liveinternet.ru
    livejournal.com loca.lt lovable.app mailchimpsites.com masto.host mataroa.blog medium.com
    micro.blog miraheze.org mmm.page mn.co monsite-orange.fr moy.su mozello.com multiply.com
    muragon.com my1.ru mykajabi.com myportfolio.com myshopify.com mystrikingly.com
    mywebcommunity.org narod.ru neocities.org nethouse.ru netlify.app newgrounds.com
    ngrok-free.app ngrok.io notion.site now.sh npage.de official.ec omg.lol onepage.website
    onrender.com over-blog.com over-blog.fr over-blog.net overblog.com page.tl page4.com
    pages.dev pagesperso-orange.fr paste.lol pbworks.com pgs.sh photoshelter.com pika.page
    pixieset.com podbean.com podcaster.de podia.com podigee.io portfoliobox.net posterous.com
    posthaven.com pp.net.ua proboards.com prose.sh pwp.blueyonder.co.uk pythonanywhere.com
    railway.app readme.io readthedocs.io repl.co replit.app rtfd.io sdf.org
    seesaa.net sellfy.store selz.co shopselect.net shoutwiki.com silvrback.com simplecast.com
    simplesite.com skyrock.com slack.com smackjeeves.com smugmug.com softr.app sofurry.com
    soup.io sourceforge.io sourceforge.net square.site squarespace.com srht.site stackblitz.io
    status.lol statuspage.io storenvy.com stores.jp straw.page streamlit.app strikingly.com
    substack.com super.site surge.sh svbtle.com tawk.help teachable.com the-comic.org thebase.in
    thecomicseries.com thinkific.com tictail.com tiiny.site tilda.ws tistory.com transistor.fm
    tripod.com trycloudflare.com tumblr.com typepad.com typepad.jp ucoz.com ucoz.de ucoz.net
    ucoz.org ucoz.ru ucoz.ua unblog.fr up.railway.app uservoice.com val.run vercel.app
    wasmer.app web.app web.fc2.com webador.com webador.de webcomic.ws webflow.io weblog.lol
    webnode.com webnode.cz webnode.de webnode.es webnode.fr webnode.it webnode.page webs.com
    webstarts.com weebly.com weeblysite.com wifeo.com wiki.gg wikia.com wikia.org wikidot.com
    wixsite.com wixstudio.com wordpress.com workers.dev wpengine.com write.as writeas.com x10.mx
    x10host.com xanga.com yolasite.com zeabur.app zendesk.com zenfolio.com zulipchat.com
    """
) | frozenset(
    "blogspot." + end
    for end in words("""
    ae al am ba be bg bj ca cf ch cl co.at co.id co.il co.ke co.nz co.uk co.za com.ar com.au
    com.br com.by com.co com.cy com.ee com.eg com.es com.mt com.ng com.tr com.uy cv cz de dk fi
    fr gr hk hr hu ie in is it jp kr li lt lu md mk mr mx my nl no pe pt qa re ro rs ru se sg si
    sk sn td tw ug vn
    """)
)

# Shared names whose `www` is known to be the house itself, as the bare name is.
HOUSE_WWW = words(
    """
    artstation.com bandcamp.com beehiiv.com buzzsprout.com deviantart.com dreamwidth.org
    etsy.com fandom.com free.fr ghost.io gov.br gov.pl gov.uk gumroad.com itch.io jimdo.com
    livejournal.com medium.com newgrounds.com nhs.uk over-blog.com podbean.com police.uk
    skyrock.com slack.com smugmug.com sourceforge.net squarespace.com substack.com teachable.com
    tistory.com tumblr.com typepad.com webnode.com weebly.com wikidot.com wordpress.com write.as
    xanga.com zendesk.com
    """
)

# Everybody has a path here. `*` is one name, `@*` one that begins with its sign.
PATHS = """
500px.com/p/* about.me/* addons.mozilla.org/user/* ameblo.jp/* anchor.fm/* aparat.com/*
apps.apple.com/developer/* artfight.net/~* audiomack.com/* aur.archlinux.org/packages/*
behance.net/* bitbucket.org/* bitchute.com/channel/* blog.csdn.net/* blog.naver.com/*
bsky.app/profile/* buttondown.com/* buttondown.email/* buymeacoffee.com/* cargocollective.com/*
cdn.jsdelivr.net/gh/* chrome.google.com/webstore/* clippings.me/*
codeberg.org/* codeload.github.com/*/* codepen.io/* codesandbox.io/u/*
colab.research.google.com/github/*/* crates.io/crates/* dailymotion.com/* dev.to/*
disqus.com/by/* dreamwidth.org/users/* dribbble.com/* esm.sh/* facebook.com/*
flickr.com/people/* flickr.com/photos/* fosstodon.org/@* freesound.org/people/*
furaffinity.net/user/* gamejolt.com/@* geocities.jp/* geocities.ws/* gist.github.com/*
gist.githubusercontent.com/*/* git.sr.ht/~* gitee.com/* github.com/* gitlab.com/*
goodreads.com/author/show/* gravatar.com/* gumroad.com/* habr.com/users/* hackaday.io/*
hackerone.com/* hackmd.io/@* home.t-online.de/home/* homepages.tesco.net/~* hub.docker.com/r/*
hub.docker.com/u/* huggingface.co/* huggingface.co/datasets/* huggingface.co/spaces/*
instagram.com/* instructables.com/member/* issuu.com/* itunes.apple.com/artist/*
jamendo.com/artist/* juejin.cn/user/* kaggle.com/* kickstarter.com/projects/* ko-fi.com/*
last.fm/user/* launchpad.net/* lbry.tv/@* letterboxd.com/* liberapay.com/*
linkedin.com/company/* linkedin.com/in/* linktr.ee/* listed.to/@* m.blog.naver.com/*
matters.town/@* medium.com/@* members.aol.com/* mixcloud.com/* myanimelist.net/profile/*
myspace.com/* nbviewer.org/github/*/* nicovideo.jp/user/* notabug.org/* note.com/*
npmjs.com/package/* observablehq.com/@* odysee.com/@* onlyfans.com/* open.spotify.com/artist/*
openclipart.org/artist/* opencollective.com/* packagist.org/packages/* patreon.com/*
payhip.com/* peakd.com/@* perso.wanadoo.fr/* pinterest.com/* pixiv.net/users/* polywork.com/*
producthunt.com/@* pypi.org/project/* qiita.com/* quora.com/profile/* raw.githack.com/*/*
raw.githubusercontent.com/*/* rawcdn.githack.com/*/* rawgit.com/*/* read.cv/*
redbubble.com/people/* reddit.com/user/* replit.com/@* researchgate.net/profile/*
reverbnation.com/* roblox.com/users/* rubygems.org/gems/* rumble.com/c/* rumble.com/user/*
s3.amazonaws.com/* savannah.gnu.org/projects/* savannah.nongnu.org/projects/*
scratch.mit.edu/users/* sites.google.com/site/* sites.google.com/view/* skeb.jp/@*
slideshare.net/* society6.com/* soundcloud.com/* sourceforge.net/p/* sourceforge.net/projects/*
sourceforge.net/u/* speakerdeck.com/* spreaker.com/user/* sr.ht/~* stackoverflow.com/users/*
steamcommunity.com/id/* steemit.com/@* storage.googleapis.com/* strava.com/athletes/*
suzuri.jp/* t.me/* t.me/s/* teespring.com/* threadless.com/* threads.com/@* tiktok.com/@*
toyhou.se/* trello.com/* tumblr.com/* twitch.tv/* unpkg.com/* unsplash.com/@*
users.livejournal.com/* users.skynet.be/* users.telenet.be/* vimeo.com/* vk.com/*
wattpad.com/user/* weibo.com/* wordpress.org/plugins/* wordpress.org/themes/* write.as/* x.com/*
youtube.com/@* youtube.com/channel/* zazzle.com/* zenn.dev/* zhihu.com/people/*
"""

# Here a page is never its host's: gateways, archives, caches, translators, short links, registries
# of papers. A name beginning with a dot stands for all under it.
NOBODY = words(
    """
    .ampproject.net .arweave.net .cdn.ampproject.org .cf-ipfs.com .dweb.link
    .googleusercontent.com .ipfs.dweb.link .ipfs.nftstorage.link .ipfs.w3s.link .ipns.dweb.link
    .safelinks.protection.outlook.com .translate.goog .web.archive.org 12ft.io adf.ly aka.ms
    allorigins.win amzn.to api.allorigins.win archive-it.org archive.fo archive.is archive.li
    archive.md archive.org archive.ph archive.today archive.vn arweave.net arxiv.org bit.ly
    buff.ly cc.bingj.com cdn.ampproject.org cf-ipfs.com cloudflare-ipfs.com
    cors-anywhere.herokuapp.com corsproxy.io cutt.ly dl.dropboxusercontent.com dlvr.it
    docs.google.com doi.org drive.google.com dropbox.com dweb.link dx.doi.org fb.me forms.gle
    gateway.ipfs.io gateway.pinata.cloud goo.gl google.com hastebin.com hdl.handle.net
    htmlpreview.github.io ibb.co imgur.com ipfs.io is.gd j.mp lnkd.in maps.app.goo.gl mega.nz
    megalodon.jp nftstorage.link onedrive.live.com outline.com ow.ly pastebin.com perma.cc
    postimg.cc proxy.duckduckgo.com purl.org r.jina.ai rb.gy redd.it ronin.pub s.jina.ai
    sci-hub.se scribd.com shorturl.at t.co t.ly telegra.ph textise.net tiny.cc tinyurl.com
    translate.google.com translate.yandex.com txtify.it v.gd w3id.org w3s.link web.archive.org
    webcache.googleusercontent.com webcitation.org wetransfer.com youtu.be
    """
)
