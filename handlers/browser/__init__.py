"""Pictures of web pages, by a browser that sees the web through a proxy of ours and nothing else.

    with egress_proxy(seconds=30) as proxy:
        shot = take(Wish(url=url, ...), proxy, seconds=30, lent=lent)

A browser follows whatever a page says: redirects, frames, scripts, pictures, sockets. So it is not asked where it goes:
it resolves no name itself and connects to nobody but `proxy`, which judges each connection as nodes' own are judged
(`handlers.network.egress`). It runs in a process group of its own with a folder of its own, which end with the picture.

The road not taken is to look at each request from inside, by the browser's own interception: that sees neither
WebSockets nor what a name means when it is resolved a second time.
"""

from handlers.browser.capture import Shot, Wish, find_missing, take
from handlers.browser.proxy import EgressProxy, egress_proxy

__all__ = ["EgressProxy", "Shot", "Wish", "egress_proxy", "find_missing", "take"]
