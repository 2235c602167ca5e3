from django.urls import path

from .exports import RecordsView
from .views import ConsentReportView

app_name = "cookie_charter_report"
urlpatterns = [
    path("consent/", ConsentReportView.as_view(), name="index"),
    path("consent/results/", ConsentReportView.as_view(results_only=True), name="results"),
    path("consent/records/", RecordsView.as_view(), name="records"),
]
