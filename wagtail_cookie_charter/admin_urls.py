"""What Wagtail's admin answers to, beside the snippet's own addresses."""

from django.urls import path

from .asking.again import AskAgainView
from .asking.views import CharterAsking

app_name = "cookie_charter_admin"
urlpatterns = [
    path("ask-again/", AskAgainView.as_view(), name="ask_again"),
    path("asking/<int:pk>/", CharterAsking.as_view(), name="charter_asking"),
]
