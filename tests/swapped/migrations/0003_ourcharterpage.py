import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import wagtail_cookie_charter.fields


class Migration(migrations.Migration):
    dependencies = [
        ("swapped", "0002_what_needs_wagtail"),
    ]

    operations = [
        migrations.AlterField(
            model_name="ourpage",
            name="locale",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wagtailcore.locale",
                verbose_name="locale",
            ),
        ),
        migrations.AlterUniqueTogether(
            name="ourpage",
            unique_together={("translation_key", "locale")},
        ),
        migrations.CreateModel(
            name="OurCharterPage",
            fields=[
                (
                    "ourpage_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to=settings.WAGTAIL_PAGE_MODEL,
                    ),
                ),
                (
                    "introduction",
                    models.TextField(blank=True, verbose_name="introduction"),
                ),
                (
                    "body",
                    wagtail_cookie_charter.fields.CharterBodyField(
                        blank=True, verbose_name="content"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
            bases=("swapped.ourpage", models.Model),
        ),
    ]
