"""A cookie charter and consent banner for Wagtail: the published table is the switch."""

__version__ = "0.1.0"
