from django.urls import path

from . import views

app_name = "cookie_charter"
urlpatterns = [
    path("decide/", views.decide, name="decide"),
    # Beside `decide`: the script knows that one's address, and finds this from it.
    path("in-force/", views.in_force, name="in_force"),
    path("declaration.json", views.declaration, name="declaration"),
    path("record/", views.record, name="record"),
    path("preferences/<str:version>/<slug:language>/", views.preferences, name="preferences"),
]
