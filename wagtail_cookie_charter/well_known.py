"""Addresses that must be at a site's root (RFC 8615). A project that wants them includes them."""

from django.urls import path

from . import views

app_name = "cookie_charter_well_known"
urlpatterns = [path(".well-known/gpc.json", views.gpc, name="gpc")]
