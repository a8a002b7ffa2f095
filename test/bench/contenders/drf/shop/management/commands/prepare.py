import json
from datetime import datetime, timezone

from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

BATCH = 5_000
# The same at each call, so that what an earlier one printed stays good.
PASSWORD = "a battery, a staple"

COPY_USERS = """
    INSERT INTO drf.auth_user (id, username, password, email, first_name, last_name,
        is_active, is_staff, is_superuser, date_joined)
    SELECT id, username, password, email, '', '', is_active, is_staff, is_superuser, date_joined
    FROM public.users ORDER BY id LIMIT %s
    ON CONFLICT DO NOTHING"""


class Command(BaseCommand):
    help = "Makes Django's tables and users beside Latchkey's, and prints credentials of theirs as JSON."

    def add_arguments(self, parser):
        parser.add_argument("--users", type=int, default=100, help="how many of Latchkey's users to take over")
        parser.add_argument("--sessions", type=int, default=1_000, help="how many refresh tokens to issue")

    def handle(self, *, users, sessions, **options):
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS drf")
        call_command("migrate", verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            cursor.execute(COPY_USERS, [users])
        owners = list(User.objects.order_by("id")[:users])
        if not owners:
            raise CommandError("Latchkey has no user yet.")
        credentials = {
            "access": [str(AccessToken.for_user(user)) for user in owners],
            "refresh": issue_refresh_tokens(owners, sessions),
            "token": [Token.objects.get_or_create(user=user)[0].key for user in owners],
            "login": set_password(owners[0]),
        }
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(json.dumps(credentials))


def issue_refresh_tokens(users, count):
    """What `RefreshToken.for_user` does, many at once."""
    rows = [outstanding_token(users[index % len(users)]) for index in range(count)]
    OutstandingToken.objects.bulk_create(rows, batch_size=BATCH)
    return [row.token for row in rows]


def outstanding_token(user):
    token = RefreshToken()
    token["user_id"] = str(user.pk)
    return OutstandingToken(
        user=user,
        jti=token["jti"],
        token=str(token),
        created_at=token.current_time,
        expires_at=datetime.fromtimestamp(token["exp"], timezone.utc),
    )


def set_password(user):
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return {"username": user.username, "password": PASSWORD}
