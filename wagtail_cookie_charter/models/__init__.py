from .banner import BannerCategory, ConsentBanner
from .charter import CookieCharterMixin
from .ledger import PublishedDeclaration
from .site import CookieCharterSettings

__all__ = [
    "BannerCategory",
    "ConsentBanner",
    "CookieCharterMixin",
    "CookieCharterSettings",
    "PublishedDeclaration",
]

try:
    from .charter import CookieCharterPage
except ImportError:  # The base page model is swapped; see charter.py.
    pass
else:
    __all__ += ["CookieCharterPage"]
