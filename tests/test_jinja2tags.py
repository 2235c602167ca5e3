"""The same tags in Jinja2, and nothing of Jinja2 where it is not used."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory
from jinja2.exceptions import TemplateError

from tests.factories import make_asking_site, make_home, row, table
from wagtail_cookie_charter.models import CookieCharterSettings
from wagtail_cookie_charter.publishing import publish_declarations


@pytest.fixture
def asking(db: None) -> CookieCharterSettings:
    make_home()
    settings = make_asking_site(
        table(row()),
        table(row(name="_v", provider="Video Host"), category="media"),
    )
    publish_declarations()
    return settings


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    return rf.get("/")


def jinja2(source: str, request: HttpRequest | None = None, **context: Any) -> str:
    # Not through Django's wrapper, which turns some of the errors into its own.
    engine: Any = engines["jinja2"]
    template = engine.env.from_string(source)
    return str(template.render({"request": request, **context} if request else context))


def django(source: str, request: HttpRequest | None = None) -> str:
    template = engines["django"].from_string("{% load cookie_charter %}" + source)
    return str(template.render({}, request))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("{{ cookie_banner() }}", "{% cookie_banner %}"),
        ("{{ cookie_settings_link() }}", "{% cookie_settings_link %}"),
        ("{{ cookie_settings_link('My', 'foot') }}", "{% cookie_settings_link 'My' 'foot' %}"),
        ("{{ cookie_settings_link(text='A') }}", "{% cookie_settings_link text='A' %}"),
        ("{{ cookie_table() }}", "{% cookie_table %}"),
        ("{{ cookie_table('media') }}", "{% cookie_table 'media' %}"),
        ("{{ cookie_category_title('media') }}", "{% cookie_category_title 'media' %}"),
        ("{{ cookie_choices() }}", "{% cookie_choices %}"),
        ("{{ cookie_contacts() }}", "{% cookie_contacts %}"),
        (
            "{% cookie_consent 'media', provider='Video Host' %}<b>x</b>{% endcookie_consent %}",
            "{% cookie_consent 'media' provider='Video Host' %}<b>x</b>{% endcookie_consent %}",
        ),
        (
            "{% cookie_consent 'statistics' %}{% cookie_consent 'media' %}b{% endcookie_consent %}"
            "{% endcookie_consent %}",
            "{% cookie_consent 'statistics' %}{% cookie_consent 'media' %}b{% endcookie_consent %}"
            "{% endcookie_consent %}",
        ),
        (
            "{% cookie_consent 'necessary' %}<b>x</b>{% endcookie_consent %}",
            "{% cookie_consent 'necessary' %}<b>x</b>{% endcookie_consent %}",
        ),
    ],
)  # fmt: skip
def test_each_says_the_same_as_in_django(
    asking: CookieCharterSettings, request_: HttpRequest, ours: str, theirs: str
) -> None:
    found = jinja2(ours, request_)
    assert found == django(theirs, request_)
    assert found.strip()
    # Without a request too, where both have nothing to say or stay shut.
    assert jinja2(ours) == django(theirs)


def test_a_gate_waits_for_its_provider_and_takes_variables(
    asking: CookieCharterSettings, request_: HttpRequest
) -> None:
    source = "{% cookie_consent key, provider=who %}{{ text }}{% endcookie_consent %}"
    known = jinja2(source, request_, key="media", who="video host", text="<b>")
    assert known.startswith('<template data-cookie-charter="media ')
    assert known.endswith(">&lt;b&gt;</template>")
    unknown = jinja2(source, request_, key="media", who="Nobody", text="x")
    assert unknown == '<template data-cookie-charter="">x</template>'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% cookie_consent 'statistic' %}x{% endcookie_consent %}", "'statistic'.*statistics"),
        ("{% cookie_consent key %}x{% endcookie_consent %}", "'nonsense'.*statistics"),
        ("{% cookie_consent nothing %}x{% endcookie_consent %}", "no category ''"),
        ("{% cookie_consent %}x{% endcookie_consent %}", "name a category"),
        ("{% cookie_consent category='media' %}x{% endcookie_consent %}", "name a category"),
        ("{% cookie_consent 'media' 'Video' %}x{% endcookie_consent %}", "'mediaVideo'"),
        ("{% cookie_consent 'media', 'Video' %}x{% endcookie_consent %}", "unknown argument"),
        ("{% cookie_consent 'media', provder='V' %}x{% endcookie_consent %}", "'provder'"),
        ("{% cookie_consent 'media', provider= %}x{% endcookie_consent %}", "one provider"),
        (
            "{% cookie_consent 'media', provider='A', provider='B' %}x{% endcookie_consent %}",
            "one provider",
        ),
        ("{% cookie_consent 'media' %}x", "endcookie_consent"),
    ],
)
def test_a_wrong_gate_is_a_developers_error(
    asking: CookieCharterSettings, request_: HttpRequest, source: str, message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        jinja2(source, request_, key="nonsense")


@pytest.mark.parametrize("provider", ["''", "none", "who.name", "nobody"])
def test_an_empty_provider_is_not_the_whole_category(
    asking: CookieCharterSettings,
    request_: HttpRequest,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    provider: str,
) -> None:
    source = f"{{% cookie_consent 'media', provider={provider} %}}x{{% endcookie_consent %}}"
    shut = '<template data-cookie-charter="">x</template>'
    assert jinja2(source, request_, who=object()) == shut
    assert "the provider is empty" in caplog.text
    settings.DEBUG = True
    with pytest.raises(TemplateError, match="the provider is empty"):
        jinja2(source, request_, who=object())


def test_content_cannot_break_out_of_its_gate(
    asking: CookieCharterSettings, request_: HttpRequest, settings: Any
) -> None:
    source = "{% cookie_consent 'media' %}{{ content|safe }}{% endcookie_consent %}"
    content = "</template><script src=x></script>"
    shut = '<template data-cookie-charter="media"></template>'
    assert jinja2(source, request_, content=content) == shut
    settings.DEBUG = True
    with pytest.raises(TemplateError, match="does not own"):
        jinja2(source, request_, content=content)


def test_a_site_without_jinja2_never_meets_it() -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from tests import settings; settings.TEMPLATES = settings.TEMPLATES[:1]\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('check')\n"
        "from wagtail_cookie_charter.templatetags import cookie_charter\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    assert done.returncode == 0, done.stderr


def test_an_environment_that_does_not_escape(asking: None, request_: HttpRequest) -> None:
    """What the template wrote is markup there too, not words to be escaped."""
    engine: Any = engines["jinja2"]
    template = engine.env.overlay(autoescape=False).from_string(
        "{% cookie_consent 'media' %}<b>x</b>{% endcookie_consent %}"
    )
    html = template.render({"request": request_})
    assert str(html) == '<template data-cookie-charter="media"><b>x</b></template>'
