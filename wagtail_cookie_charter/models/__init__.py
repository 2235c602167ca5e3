from .banner import BannerCategory, ConsentBanner
from .charter import CookieCharterMixin
from .events import ConsentEvent, DailyCount, Delivery
from .ledger import PublishedDeclaration
from .site import CookieCharterSettings

__all__ = [
    "BannerCategory",
    "ConsentBanner",
    "ConsentEvent",
    "CookieCharterMixin",
    "CookieCharterSettings",
    "DailyCount",
    "Delivery",
    "PublishedDeclaration",
]

try:
    from .charter import CookieCharterPage
except ImportError:  # The base page model is swapped; see charter.py.
    pass
else:
    __all__ += ["CookieCharterPage"]
