import django.db.models.deletion
import swapper
import wagtail_cookie_charter.fields
from django.db import migrations, models

swapper.set_app_prefix("wagtailcore", "wagtail")


class Migration(migrations.Migration):
    """The ready-made page, where Wagtail's own page model is the base (see models/charter.py)."""

    dependencies = [
        ("wagtail_cookie_charter", "0001_initial"),
    ]

    operations = (
        []
        if swapper.is_swapped("wagtailcore", "Page")
        else [
            migrations.CreateModel(
                name="CookieCharterPage",
                fields=[
                    (
                        "page_ptr",
                        models.OneToOneField(
                            auto_created=True,
                            on_delete=django.db.models.deletion.CASCADE,
                            parent_link=True,
                            primary_key=True,
                            serialize=False,
                            to="wagtailcore.page",
                        ),
                    ),
                    ("introduction", models.TextField(blank=True, verbose_name="introduction")),
                    ("body", wagtail_cookie_charter.fields.CharterBodyField(blank=True)),
                ],
                options={
                    "verbose_name": "cookie charter",
                    "verbose_name_plural": "cookie charters",
                },
                bases=("wagtailcore.page", models.Model),
            ),
        ]
    )
