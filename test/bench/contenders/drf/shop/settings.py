"""
Django REST Framework, simplejwt and django-filter on gunicorn, set up as for production:

    cd test/bench/contenders/drf
    python manage.py prepare        # once per database; prints credentials as JSON
    gunicorn                        # gunicorn.conf.py

`product` is Latchkey's table. Django's own tables (users, Tokens, outstanding and blacklisted tokens) live in the
schema `drf` of the same database, where `prepare` makes Django's users from Latchkey's, with their ids and password
hashes. Credentials of both sides are taken: access tokens that were signed elsewhere with SIGNING_KEY and name one of
these users, and what `prepare` prints. Refresh tokens have to be those of `prepare` or of `/login/`.

ROTATE_REFRESH_TOKENS=true in the environment turns rotation and the blacklist on.
"""

import os
from datetime import timedelta
from urllib.parse import unquote, urlsplit

SECRET_KEY = os.environ["SIGNING_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "shop",
]
# An API without cookies and pages needs neither sessions nor messages, CSRF and frame protection.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

_database = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(_database.path[1:]),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname,
        "PORT": _database.port or 5432,
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c search_path=drf,public"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Its cost is 12, as BCRYPT_ROUNDS of Latchkey is by default.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]

REST_FRAMEWORK = {
    # Both fetch the user at each request, as they do where nobody asks them not to.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

_rotates = os.environ.get("ROTATE_REFRESH_TOKENS") == "true"
SIMPLE_JWT = {
    # As long as a benchmark may take.
    "ACCESS_TOKEN_LIFETIME": timedelta(days=1),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=2),
    "ROTATE_REFRESH_TOKENS": _rotates,
    "BLACKLIST_AFTER_ROTATION": _rotates,
}
