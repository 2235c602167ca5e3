"""
What stands on the sandbox's two sites. Facts are written once, words in both languages.

The charter carries, part by part, what the open data portal of a French city publishes: what a
cookie is, the kinds there are, the platform by its address, and tables by purpose.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NamedTuple

from .elsewhere import MAP, MAP_HOST, MEASUREMENT, VIDEO, VIDEO_HOST


class Both(NamedTuple):
    """Words in French and in English."""

    fr: str
    en: str


# French keeps its double punctuation, and its thousands, on the line of what they belong to.
FRENCH_SPACES = re.compile(r" (?=[:;?!»])|(?<=«) |(?<=\d) (?=\d{3})")


def in_language(value: Any, language: str) -> Any:
    """`value` with every `Both` in it replaced by its words in one language."""
    if isinstance(value, Both):
        return FRENCH_SPACES.sub("\N{NO-BREAK SPACE}", value.fr) if language == "fr" else value.en
    if isinstance(value, dict):
        return {key: in_language(child, language) for key, child in value.items()}
    if isinstance(value, list):
        return [in_language(child, language) for child in value]
    return value


def lasts(value: int, unit: str) -> dict[str, Any]:
    return {"kind": "fixed", "value": value, "unit": unit}


CHECKED = "2026-11-02"
ESSENTIAL = Both(
    "Service demandé par le visiteur, qui ne peut fonctionner sans lui.",
    "A service the visitor asked for, which cannot work without it.",
)

DEFINITION = {
    "type": "definition",
    "value": {
        "heading": Both("Qu’est-ce qu’un cookie ?", "What is a cookie?"),
        "text": Both(
            "<p>Un cookie est une petite information, désignée par un nom, qu’un site confie à "
            "votre navigateur. Celui-ci la garde un certain temps et la présente de nouveau au "
            "site à chacune de vos visites.</p>"
            "<p>On s’en sert par exemple pour :</p>"
            "<ul><li>vous laisser connecté à votre compte ;</li>"
            "<li>garder le contenu d’un panier d’une page à l’autre ;</li>"
            "<li>reconnaître un navigateur, pour établir des statistiques ou choisir des "
            "publicités.</li></ul>",
            "<p>A cookie is a small piece of information, with a name, that a website entrusts to "
            "your browser. The browser keeps it for a while and shows it to the site again "
            "each time you come back.</p>"
            "<p>Sites use them, for example, to:</p>"
            "<ul><li>keep you signed in to your account;</li>"
            "<li>keep a basket from one page to the next;</li>"
            "<li>recognise a browser, to make statistics or to choose advertisements.</li></ul>",
        ),
    },
}

KINDS = {
    "type": "kinds",
    "value": {
        "heading": Both("Les différents cookies", "The kinds of cookies"),
        "introduction": Both(
            "<p>On les distingue par ce à quoi ils servent et par qui les dépose. Un même cookie "
            "peut relever de plusieurs familles.</p>",
            "<p>They differ by what they are for and by who sets them. One cookie can be of "
            "several kinds.</p>",
        ),
        "kinds": [
            {
                "name": Both("Les cookies nécessaires", "Necessary cookies"),
                "text": Both(
                    "Sans eux, le service que vous demandez ne marche pas : rester connecté, "
                    "conserver une langue ou un réglage. Votre accord n’est pas requis.",
                    "Without them the service you ask for does not work: staying signed in, "
                    "keeping a language or a setting. They need no consent.",
                ),
            },
            {
                "name": Both("Les cookies statistiques", "Statistical cookies"),
                "text": Both(
                    "Ils renseignent sur la façon dont un site est parcouru. Votre accord est "
                    "requis, sauf si les chiffres restent anonymes et ne servent qu’au site.",
                    "They tell how a site is used. They need your consent, unless the figures "
                    "stay anonymous and serve this site only.",
                ),
            },
            {
                "name": Both(
                    "Les cookies internes (« first-party »)", "Internal (first-party) cookies"
                ),
                "text": Both(
                    "Le site que vous consultez les dépose lui-même. Certains sont nécessaires ; "
                    "d’autres peuvent servir à suivre vos visites ou à la publicité.",
                    "Set by the site you are visiting. Some are necessary; others may "
                    "serve to follow your visits, or for advertising.",
                ),
            },
            {
                "name": Both("Les cookies tiers (« third-party »)", "Third-party cookies"),
                "text": Both(
                    "Un autre site les dépose, ou on les dépose pour lui : une vidéo intégrée, "
                    "une régie publicitaire. Il peut ainsi savoir quelles pages vous voyez ici.",
                    "Set by or for another site: an embedded video, or an advertising agency. "
                    "That site can then tell which pages you have seen here.",
                ),
            },
        ],
    },
}

CHOICES = {
    "type": "choices",
    "value": {
        "heading": Both("Vos choix", "Your choices"),
        "text": Both(
            "<p>Refuser ne vous prive de rien : toutes les pages et toutes les données restent "
            "accessibles. Changez d’avis ici, ou par le lien en bas de chaque page.</p>",
            "<p>Refusing costs you nothing: every page and all data stay open to you. You can "
            "change your mind here, or with the link at the foot of each page.</p>",
        ),
    },
}

CONTACTS = {
    "type": "contacts",
    "value": {"heading": Both("Nous joindre", "How to reach us"), "text": Both("", "")},
}

VIDEO_ROW = {
    "name": "_video_id",
    "storage": "cookie",
    "provider": VIDEO,
    "service": Both("Lecteur vidéo des articles", "Video player in articles"),
    "purpose": Both(
        "Reconnaître le spectateur d’une vidéo et compter les lectures. Effacé à la fermeture du "
        "lecteur.",
        "Recognises the viewer of a video and counts plays. Deleted when the player is closed.",
    ),
    "duration": {"kind": "session"},
    "party": "third",
    "domain": VIDEO_HOST,
    "controller": "Vidéo Exemple SAS",
    "country": "France",
    "ground": "consent",
    "last_checked": CHECKED,
}


MAP_ROW = {
    **VIDEO_ROW,
    "name": "_carte_id",
    "provider": MAP,
    "service": Both("Cartes des articles", "Maps in articles"),
    "purpose": Both(
        "Reconnaître celui qui consulte une carte et compter les consultations.",
        "Recognises who looks at a map and counts how often it is looked at.",
    ),
    "domain": MAP_HOST,
    "controller": "Carte Exemple SARL",
}


def video_table(introduction: Both, *more: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "cookie_table",
        "value": {
            "category": "media",
            "heading": Both("Vidéos", "Videos"),
            "introduction": introduction,
            "cookies": [VIDEO_ROW, *more],
        },
    }


def own_cookie(site_id: int) -> dict[str, Any]:
    return {
        "name": f"cookie-charter-{site_id}",
        "storage": "cookie",
        "provider": Both("Ville de Clairval-sur-Marne", "City of Clairval-sur-Marne"),
        "service": Both("Bandeau de choix", "Consent banner"),
        "purpose": Both(
            "Retenir votre réponse, afin de ne pas vous poser la question à chaque page.",
            "Remembers your answer, so that we need not ask on every page.",
        ),
        "duration": lasts(6, "month"),
        "party": "first",
        "ground": "necessary",
        "reason": ESSENTIAL,
        "last_checked": CHECKED,
    }


def opendatasoft(
    name: str, service: Both, purpose: Both, duration: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "storage": "cookie",
        "provider": "Opendatasoft",
        "service": service,
        "purpose": purpose,
        "duration": duration,
        "party": "first",
        "ground": "necessary",
        "reason": ESSENTIAL,
        "last_checked": CHECKED,
    }


PLATFORM_URL = "https://donnees.clairval-sur-marne.example"


def portal_charter(site_id: int) -> list[dict[str, Any]]:
    return [
        DEFINITION,
        KINDS,
        {
            "type": "platform",
            "value": {
                "name": Both("la plateforme de données ouvertes", "the open data platform"),
                "url": PLATFORM_URL,
                "text": Both(
                    "<p>Le portail est fourni à la ville par Opendatasoft. Le « front office », ce "
                    "sont les pages publiques ; le « back office », celles où les agents publient "
                    "les données.</p>",
                    "<p>Opendatasoft provides the portal to the city. The “front office” is the "
                    "public pages; the “back office” is where staff publish the data.</p>",
                ),
            },
        },
        {
            "type": "cookie_table",
            "value": {
                "category": "necessary",
                "heading": Both(
                    "Cookies nécessaires au fonctionnement", "Cookies the platform needs to work"
                ),
                "platform_name": Both("Données ouvertes de Clairval", "Clairval open data"),
                "platform_url": PLATFORM_URL,
                "cookies": [
                    opendatasoft(
                        "sessionid",
                        Both(
                            "Authentification (front et back office)",
                            "Sign-in (front and back office)",
                        ),
                        Both(
                            "Vous garder connecté quand vous changez de page.",
                            "Keeps you signed in as you move between pages.",
                        ),
                        lasts(2, "week"),
                    ),
                    opendatasoft(
                        "django_language",
                        Both(
                            "Choix de la langue (front et back office)",
                            "Choice of language (front and back office)",
                        ),
                        Both(
                            "Vous présenter le portail dans la langue que vous avez choisie.",
                            "Shows the portal in the language you chose.",
                        ),
                        lasts(12, "month"),
                    ),
                    opendatasoft(
                        "csrftoken",
                        Both(
                            "API, protection CSRF (front et back office)",
                            "API, CSRF protection (front and back office)",
                        ),
                        Both(
                            "Obtenir les données par l’API, sans que personne puisse agir en "
                            "votre nom.",
                            "Fetches data from the API without anybody else acting in your name.",
                        ),
                        lasts(12, "month"),
                    ),
                    opendatasoft(
                        "cookies_preferences",
                        Both("Choix en matière de cookies", "Choice about cookies"),
                        Both(
                            "Retenir ce que vous avez répondu au sujet des cookies sur la "
                            "plateforme.",
                            "Remembers what you answered about cookies on the platform.",
                        ),
                        lasts(6, "month"),
                    ),
                    own_cookie(site_id),
                ],
            },
        },
        {
            "type": "cookie_table",
            "value": {
                "category": "statistics",
                "heading": Both("Statistiques de visite", "Visitor statistics"),
                "introduction": Both(
                    "<p>Ils nous disent quels articles sont lus. Rien n’est mesuré si vous "
                    "refusez.</p>",
                    "<p>They tell us which articles are read. Nothing is measured if you "
                    "refuse.</p>",
                ),
                "cookies": [
                    {
                        "name": "_mesure_id",
                        "storage": "cookie",
                        "provider": MEASUREMENT,
                        "service": Both("Articles du portail", "Articles of the portal"),
                        "purpose": Both(
                            "Reconnaître un navigateur d’une visite à l’autre, pour compter les "
                            "lecteurs et non les pages.",
                            "Recognises a browser from one visit to the next, to count readers "
                            "rather than pages.",
                        ),
                        "duration": lasts(13, "month"),
                        "party": "first",
                        "controller": "Mesure Exemple SARL",
                        "country": "France",
                        "ground": "consent",
                        "retention_months": 24,
                        "last_checked": CHECKED,
                    }
                ],
            },
        },
        video_table(
            Both(
                "<p>Les vidéos et les cartes des articles viennent d’autres sites. Elles ne "
                "s’affichent qu’avec votre accord.</p>",
                "<p>Videos and maps in articles come from other sites. They appear only with "
                "your consent.</p>",
            ),
            MAP_ROW,
        ),
        CHOICES,
        CONTACTS,
    ]


def library_charter(site_id: int) -> list[dict[str, Any]]:
    session = {
        **opendatasoft(
            "sessionid",
            Both("Compte lecteur", "Reader’s account"),
            Both(
                "Vous garder connecté pendant que vous consultez vos prêts.",
                "Keeps you signed in while you look at your loans.",
            ),
            lasts(2, "week"),
        ),
        "provider": Both("Bibliothèque de Clairval", "Clairval Library"),
    }
    return [
        DEFINITION,
        {
            "type": "cookie_table",
            "value": {
                "category": "necessary",
                "heading": Both("Cookies nécessaires", "Necessary cookies"),
                "cookies": [session, own_cookie(site_id)],
            },
        },
        video_table(
            Both(
                "<p>Lectures et rencontres filmées, hébergées par un autre site.</p>",
                "<p>Filmed readings and talks, hosted by another site.</p>",
            )
        ),
        CHOICES,
        CONTACTS,
    ]


CONTROLLER = {
    "controller_address": "1, place de la Mairie\n77999 Clairval-sur-Marne",
    "dpo_email": "dpo@clairval-sur-marne.example",
    "authority_name": "CNIL",
    "authority_url": "https://www.cnil.fr/fr/plaintes",
}

PORTAL: dict[str, Any] = {
    "slug": "donnees-ouvertes",
    "host": "127.0.0.1",
    "default": True,
    "home": {
        "title": Both("Données ouvertes de Clairval", "Clairval open data"),
        "accent": "blue",
        "lead": Both(
            "Les données que la ville produit vous appartiennent. Consultez-les, téléchargez-les, "
            "réutilisez-les librement.",
            "The data the city produces belong to you. Explore, download and reuse them freely.",
        ),
        "figures": [
            {
                "number": "128",
                "label": Both("jeux de données", "datasets"),
            },
            {
                "number": Both("1,2 million", "1.2 million"),
                "label": Both("enregistrements", "records"),
            },
            {
                "number": "41",
                "label": Both("réutilisations connues", "known reuses"),
            },
        ],
        "cards_heading": Both("Jeux de données à la une", "Featured datasets"),
        "cards": [
            {
                "title": Both("Comptages vélo", "Bicycle counts"),
                "text": Both(
                    "Passages par heure sur les douze compteurs de la ville, depuis 2019.",
                    "Passages per hour at the city’s twelve counters, since 2019.",
                ),
                "note": Both(
                    "CSV, JSON · mis à jour chaque nuit", "CSV, JSON · updated every night"
                ),
            },
            {
                "title": Both("Arbres de la ville", "City trees"),
                "text": Both(
                    "Espèce, hauteur, année de plantation et position de 9 480 arbres.",
                    "Species, height, year of planting and position of 9,480 trees.",
                ),
                "note": Both("CSV, GeoJSON · chaque saison", "CSV, GeoJSON · every season"),
            },
            {
                "title": Both("Budget voté", "Approved budget"),
                "text": Both(
                    "Recettes et dépenses par fonction et par nature, de 2015 à 2026.",
                    "Income and spending by function and by nature, 2015 to 2026.",
                ),
                "note": Both("CSV, XLSX · chaque année", "CSV, XLSX · every year"),
            },
        ],
        "articles_heading": Both("Actualités du portail", "News from the portal"),
    },
    "articles": [
        {
            "slug": "comptages-velo",
            "date": date(2026, 10, 12),
            "title": Both("Un million de vélos", "A million bicycles"),
            "lead": Both(
                "Le compteur du pont Neuf a vu passer son millionième vélo. Toutes les mesures, "
                "heure par heure, sont en ligne.",
                "The counter on Pont Neuf has seen its millionth bicycle. Every reading, hour by "
                "hour, is online.",
            ),
            "body": Both(
                "<p>Douze boucles posées sous la chaussée comptent les vélos depuis 2019. Elles ne "
                "filment pas et ne reconnaissent personne : une variation du champ magnétique "
                "suffit.</p>"
                "<h2>Ce que montrent les chiffres</h2>"
                "<ul><li>Le trafic a <b>doublé</b> en six ans sur l’axe de la gare.</li>"
                "<li>Le mardi est le jour le plus chargé, de mars à novembre.</li>"
                "<li>La pluie fait baisser les passages d’un tiers, pas davantage.</li></ul>"
                "<p>Le jeu de données est publié sous Licence Ouverte 2.0 et complété "
                "chaque nuit.</p>",
                "<p>Twelve loops under the road surface have counted bicycles since 2019. They do "
                "not film and recognise nobody: a change in the magnetic field is enough.</p>"
                "<h2>What the figures show</h2>"
                "<ul><li>Traffic has <b>doubled</b> in six years on the way to the station.</li>"
                "<li>Tuesday is the busiest day, from March to November.</li>"
                "<li>Rain lowers the count by a third, no more.</li></ul>"
                "<p>The dataset is published under the Open Licence 2.0 and completed every "
                "night.</p>",
            ),
            "video_title": Both(
                "En vidéo : comment fonctionne un compteur", "Video: how a counter works"
            ),
        },
        {
            "slug": "arbres-de-la-ville",
            "date": date(2026, 9, 3),
            "title": Both("9 480 arbres, un par un", "9,480 trees, one by one"),
            "lead": Both(
                "Le service des espaces verts ouvre son inventaire : l’espèce, l’âge et la hauteur "
                "de chacun.",
                "The parks department opens its inventory: the species, age and height of each.",
            ),
            "body": Both(
                "<p>Chaque arbre planté sur la voie publique a sa fiche. On y lit son espèce, sa "
                "hauteur, l’année de sa plantation et la date de sa dernière visite.</p>"
                "<h2>Pour en faire quoi ?</h2>"
                "<p>Une école en a tiré un herbier numérique, une habitante une carte des "
                "floraisons pour les personnes allergiques. <i>À vous de jouer.</i></p>",
                "<p>Every tree planted in a public street has its record: its species, its height, "
                "the year it was planted and the date of its last inspection.</p>"
                "<h2>What is it good for?</h2>"
                "<p>A school made a digital herbarium of it, a resident a map of flowering for "
                "people with allergies. <i>Your turn.</i></p>",
            ),
            "video_title": Both("", ""),
        },
        {
            "slug": "planter-en-ville",
            "date": date(2026, 11, 16),
            "title": Both("Où planter demain ?", "Where to plant next?"),
            "lead": Both(
                "Une vidéo, une carte et un relevé : trois contenus venus d’ailleurs, qui "
                "attendent votre accord.",
                "A video, a map and a survey: three pieces of content from elsewhere that wait "
                "for your consent.",
            ),
            "body": Both(
                "<p>Chaque automne, le service des espaces verts choisit les rues à planter. Il "
                "explique comment en trois minutes.</p>"
                f'<embed embedtype="media" url="http://{VIDEO_HOST}:8000/sandbox/video/"/>'
                "<p>Les rues retenues cette année sont sur la carte.</p>"
                f'<embed embedtype="media" url="http://{MAP_HOST}:8000/sandbox/map/"/>',
                "<p>Every autumn, the parks department chooses the streets to plant. It explains "
                "how in three minutes.</p>"
                f'<embed embedtype="media" url="http://{VIDEO_HOST}:8000/sandbox/video/"/>'
                "<p>The streets chosen this year are on the map.</p>"
                f'<embed embedtype="media" url="http://{MAP_HOST}:8000/sandbox/map/"/>',
            ),
            "extras": [
                {
                    "category": "media",
                    "provider": MAP,
                    "name": Both("Relevé des sols", "Soil survey"),
                    "html": f'<iframe src="http://{MAP_HOST}:8000/sandbox/map/?sols" '
                    'title="Sols" width="640" height="360"></iframe>',
                }
            ],
            "video_title": Both("", ""),
        },
    ],
    "charter": {
        "slug": "charte-cookies",
        "title": Both("Charte cookies", "Cookie charter"),
        "introduction": Both(
            "Le portail utilise quelques cookies pour bien fonctionner. Voici lesquels, pourquoi, "
            "pour combien de temps, et comment décider.",
            "The portal uses a few cookies to work well. Here is which, what for, for how "
            "long, and how to decide.",
        ),
        "body": portal_charter,
    },
    "banner": {
        "name": Both("Bandeau du portail", "Banner of the portal"),
        "placement": "bottom",
        "categories": [
            {
                "key": "statistics",
                "title": Both("Statistiques de visite", "Visitor statistics"),
                "summary": Both(
                    "Savoir quels articles sont lus, pour écrire les suivants.",
                    "Learn which articles are read, to write the next ones.",
                ),
            },
            {
                "key": "media",
                "title": Both("Vidéos et cartes", "Videos and maps"),
                "summary": Both(
                    "Afficher dans les articles des contenus venus d’un autre site.",
                    "Show content from another site in our articles.",
                ),
            },
        ],
    },
    "settings": {
        **CONTROLLER,
        "controller_name": "Ville de Clairval-sur-Marne",
        "contact_email": "donnees@clairval-sur-marne.example",
        "dpo_name": "Camille Tilleul",
    },
}

LIBRARY: dict[str, Any] = {
    "slug": "bibliotheque",
    "host": "bibliotheque.localhost",
    "default": False,
    "home": {
        "title": Both("Bibliothèque de Clairval", "Clairval Library"),
        "accent": "green",
        "lead": Both(
            "Livres, musique, jeux et silence : l’entrée est libre, l’emprunt gratuit.",
            "Books, music, games and silence: free to enter, free to borrow.",
        ),
        "figures": [
            {"number": "82 000", "label": Both("documents", "items")},
            {"number": Both("6 jours", "6 days"), "label": Both("par semaine", "a week")},
            {"number": "0 €", "label": Both("l’abonnement", "membership")},
        ],
        "cards_heading": Both("Horaires", "Opening hours"),
        "cards": [
            {
                "title": Both("Mardi à vendredi", "Tuesday to Friday"),
                "text": Both("De 10 h à 19 h.", "10 am to 7 pm."),
                "note": Both("Nocturne le jeudi, 21 h", "Late opening on Thursday, 9 pm"),
            },
            {
                "title": Both("Samedi", "Saturday"),
                "text": Both("De 10 h à 18 h.", "10 am to 6 pm."),
                "note": Both("Heure du conte à 11 h", "Story time at 11 am"),
            },
            {
                "title": Both("Dimanche", "Sunday"),
                "text": Both("De 14 h à 18 h.", "2 pm to 6 pm."),
                "note": Both("D’octobre à avril", "October to April"),
            },
        ],
        "articles_heading": Both("À la bibliothèque", "At the library"),
    },
    "articles": [
        {
            "slug": "lectures-d-automne",
            "date": date(2026, 10, 20),
            "title": Both("Lectures d’automne", "Autumn readings"),
            "lead": Both(
                "Trois soirées, trois comédiennes, trois livres lus à voix haute.",
                "Three evenings, three actors, three books read aloud.",
            ),
            "body": Both(
                "<p>Les lectures ont lieu dans la grande salle, le jeudi à 19 h 30. L’entrée est "
                "libre, dans la limite des 90 places.</p>",
                "<p>The readings take place in the main hall, on Thursdays at 7.30 pm. Free "
                "entry, 90 seats.</p>",
            ),
            "video_title": Both("Revoir la lecture d’ouverture", "Watch the opening reading again"),
        }
    ],
    "charter": {
        "slug": "cookies",
        "title": Both("Nos cookies", "Our cookies"),
        "introduction": Both(
            "La bibliothèque ne mesure pas votre visite. Seules les vidéos demandent votre avis.",
            "The library does not measure your visit. Only the videos need your say.",
        ),
        "body": library_charter,
    },
    "banner": {
        "name": Both("Bandeau de la bibliothèque", "Banner of the library"),
        "placement": "corner",
        "title": Both("Des vidéos, si vous voulez bien", "Videos, if you like"),
        "text": Both(
            "Les cookies de nos vidéos demandent votre consentement. Le site fonctionne aussi bien "
            "sans elles, et vous pourrez changer d’avis à tout moment en bas de page.",
            "The cookies of our videos need your consent. The site works just as well without "
            "them, and you can change your mind at any time at the foot of the page.",
        ),
        "categories": [
            {
                "key": "media",
                "title": Both("Lectures filmées", "Filmed readings"),
                "summary": Both(
                    "Voir ici les vidéos hébergées par un autre site.",
                    "Watch videos hosted by another site here.",
                ),
            }
        ],
    },
    "settings": {
        **CONTROLLER,
        "controller_name": "Bibliothèque municipale de Clairval-sur-Marne",
        "contact_email": "bibliotheque@clairval-sur-marne.example",
        "dpo_name": "Camille Tilleul",
    },
}

SITES = [PORTAL, LIBRARY]
