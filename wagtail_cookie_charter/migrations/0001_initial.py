import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import modelcluster.fields
import uuid
import swapper
import wagtail.models.preview
import wagtail.search.index
import wagtail_cookie_charter.models.banner
from django.conf import settings
from django.db import migrations, models


# Known to core itself, but apps may be listed in any order.
swapper.set_app_prefix("wagtailcore", "wagtail")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        swapper.dependency("wagtailcore", "Page"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsentBanner",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("translation_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("live", models.BooleanField(default=True, editable=False, verbose_name="live")),
                (
                    "has_unpublished_changes",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="has unpublished changes"
                    ),
                ),
                (
                    "first_published_at",
                    models.DateTimeField(
                        blank=True, db_index=True, null=True, verbose_name="first published at"
                    ),
                ),
                (
                    "last_published_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last published at"
                    ),
                ),
                (
                    "go_live_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="go live date/time"),
                ),
                (
                    "expire_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="expiry date/time"),
                ),
                (
                    "expired",
                    models.BooleanField(default=False, editable=False, verbose_name="expired"),
                ),
                (
                    "locked",
                    models.BooleanField(default=False, editable=False, verbose_name="locked"),
                ),
                (
                    "locked_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="locked at"),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="For editors only; visitors never see it.",
                        max_length=255,
                        verbose_name="name",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="title")),
                (
                    "text",
                    models.TextField(
                        blank=True,
                        help_text="Say that you ask for consent, and that it can be withdrawn at any time. The purposes, third parties and links follow by themselves.",
                        max_length=700,
                        verbose_name="text",
                    ),
                ),
                (
                    "accept_label",
                    models.CharField(blank=True, max_length=60, verbose_name="button: accept all"),
                ),
                (
                    "refuse_label",
                    models.CharField(blank=True, max_length=60, verbose_name="button: refuse all"),
                ),
                (
                    "customise_label",
                    models.CharField(blank=True, max_length=60, verbose_name="button: customise"),
                ),
                (
                    "save_label",
                    models.CharField(
                        blank=True, max_length=60, verbose_name="button: save choices"
                    ),
                ),
                (
                    "placement",
                    models.CharField(default="bottom", max_length=20, verbose_name="placement"),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=182,
                        help_text="For a refusal and for an acceptance alike. Six months (182 days) is recommended.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(395),
                        ],
                        verbose_name="days until we ask again",
                    ),
                ),
                (
                    "privacy_url",
                    models.URLField(
                        blank=True,
                        help_text="If it is not a page of this site.",
                        verbose_name="privacy policy (address)",
                    ),
                ),
                (
                    "charter_page",
                    models.ForeignKey(
                        blank=True,
                        help_text="The page whose tables say what visitors are asked about.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=swapper.get_model_name("wagtailcore", "Page"),
                        verbose_name="charter",
                    ),
                ),
                (
                    "latest_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="latest revision",
                    ),
                ),
                (
                    "live_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="live revision",
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="locale",
                    ),
                ),
                (
                    "locked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="locked_%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="locked by",
                    ),
                ),
                (
                    "privacy_page",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=swapper.get_model_name("wagtailcore", "Page"),
                        verbose_name="privacy policy (page)",
                    ),
                ),
            ],
            options={
                "verbose_name": "consent banner",
                "verbose_name_plural": "consent banners",
                "abstract": False,
                "unique_together": {("translation_key", "locale")},
            },
            bases=(
                wagtail.models.preview.PreviewableMixin,
                wagtail.search.index.Indexed,
                models.Model,
            ),
        ),
        migrations.CreateModel(
            name="CookieCharterSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "controller_name",
                    models.CharField(
                        help_text="The body that is responsible for this site, for example the city.",
                        max_length=255,
                        verbose_name="controller",
                    ),
                ),
                ("controller_address", models.TextField(blank=True, verbose_name="address")),
                (
                    "contact_email",
                    models.EmailField(blank=True, max_length=254, verbose_name="e-mail"),
                ),
                ("contact_url", models.URLField(blank=True, verbose_name="contact page")),
                (
                    "dpo_name",
                    models.CharField(
                        blank=True,
                        help_text="A public body has a data protection officer. A role is enough.",
                        max_length=255,
                        verbose_name="name",
                    ),
                ),
                ("dpo_email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("dpo_url", models.URLField(blank=True, verbose_name="contact page")),
                (
                    "authority_name",
                    models.CharField(
                        blank=True,
                        help_text="Where visitors may complain, for example the CNIL in France.",
                        max_length=255,
                        verbose_name="supervisory authority",
                    ),
                ),
                ("authority_url", models.URLField(blank=True, verbose_name="complaints page")),
                (
                    "banner",
                    models.ForeignKey(
                        blank=True,
                        help_text="In its original language; translations are found by themselves.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtail_cookie_charter.consentbanner",
                        verbose_name="consent banner",
                    ),
                ),
                (
                    "site",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="wagtailcore.site",
                    ),
                ),
            ],
            options={
                "verbose_name": "Cookie charter",
                "verbose_name_plural": "Cookie charter settings",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BannerCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("translation_key", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("sort_order", models.IntegerField(blank=True, editable=False, null=True)),
                (
                    "key",
                    models.CharField(
                        max_length=16,
                        validators=[wagtail_cookie_charter.models.banner.validate_category_key],
                        verbose_name="category",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="title")),
                (
                    "summary",
                    models.CharField(
                        blank=True,
                        help_text="One line, in plain words.",
                        max_length=250,
                        verbose_name="description",
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="locale",
                    ),
                ),
                (
                    "banner",
                    modelcluster.fields.ParentalKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="categories",
                        to="wagtail_cookie_charter.consentbanner",
                    ),
                ),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
                "ordering": ["sort_order"],
                "abstract": False,
                "unique_together": {("banner", "key"), ("translation_key", "locale")},
            },
        ),
        migrations.CreateModel(
            name="PublishedDeclaration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("digest", models.CharField(max_length=64, verbose_name="digest")),
                (
                    "content",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        verbose_name="content",
                    ),
                ),
                ("asked", models.JSONField(default=list, verbose_name="asked")),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, verbose_name="published at"),
                ),
                (
                    "site",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.site",
                        verbose_name="site",
                    ),
                ),
            ],
            options={
                "verbose_name": "published declaration",
                "verbose_name_plural": "published declarations",
                "indexes": [
                    models.Index(fields=["site", "number"], name="wcc_declaration_site_number")
                ],
            },
        ),
    ]
