from django.urls import path

from . import views

app_name = "cookie_charter"
urlpatterns = [
    path("decide/", views.decide, name="decide"),
    path("preferences/<str:version>/<slug:language>/", views.preferences, name="preferences"),
]
