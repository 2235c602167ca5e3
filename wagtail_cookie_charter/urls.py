from django.urls import path

from . import views

app_name = "cookie_charter"
urlpatterns = [
    path("decide/", views.decide, name="decide"),
    path("declaration.json", views.declaration, name="declaration"),
    path("record/", views.record, name="record"),
    path("preferences/<str:version>/<slug:language>/", views.preferences, name="preferences"),
]
