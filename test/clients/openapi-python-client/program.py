import json
import os
from typing import cast
from urllib.parse import parse_qs, urlsplit

from latchkey import AuthenticatedClient, Client
from latchkey.api.accounts import retrieve_me
from latchkey.api.json_web_tokens import blacklist_token, login, refresh_token
from latchkey.api.products import create_product, list_products
from latchkey.api.tokens import destroy_auth_token, obtain_auth_token
from latchkey.models import (
    Account,
    AuthToken,
    BlacklistRequest,
    Credentials,
    ErrorDetail,
    Product,
    ProductErrors,
    ProductInput,
    ProductPage,
    RefreshedTokens,
    RefreshRequest,
    TokenCredentials,
    TokenPair,
)
from latchkey.types import UNSET, Unset

URL = os.environ["LATCHKEY_URL"]
USERNAME = os.environ["LATCHKEY_USERNAME"]
PASSWORD = os.environ["LATCHKEY_PASSWORD"]


def say(step: str, **facts: object) -> None:
    print(json.dumps({"step": step, **facts}), flush=True)


def connect(token: str, prefix: str, **headers: str) -> AuthenticatedClient:
    return AuthenticatedClient(URL, token=token, prefix=prefix, headers=headers)


def prefer(status: int, example: str) -> dict[str, str]:
    """Asks the mock for a refusal by name. The service ignores this."""
    return {"Prefer": f"code={status}, example={example}"}


anonymous = Client(URL)

# That this operation takes nobody too is lost on the generator.
nobody = cast(AuthenticatedClient, anonymous)
answer = obtain_auth_token.sync(client=nobody, body=TokenCredentials(USERNAME, PASSWORD))
assert isinstance(answer, AuthToken), answer
token = answer.token
by_token = connect(token, "Token")
account = retrieve_me.sync(client=by_token)
assert isinstance(account, Account), account
say("get token", username=account.username)

pair = login.sync(client=anonymous, body=Credentials(USERNAME, PASSWORD))
assert isinstance(pair, TokenPair), pair
account = retrieve_me.sync(client=connect(pair.access, "Bearer"))
assert isinstance(account, Account), account
say("log in", username=account.username)

renewed = refresh_token.sync(client=anonymous, body=RefreshRequest(pair.refresh))
assert isinstance(renewed, RefreshedTokens), renewed
refresh = renewed.refresh or pair.refresh
by_jwt = connect(renewed.access, "Bearer")
account = retrieve_me.sync(client=by_jwt)
assert isinstance(account, Account), account
say("refresh", username=account.username)

pages = products = 0
cursor: str | Unset | None = UNSET
while cursor is not None:
    page = list_products.sync(client=by_jwt, cursor=cursor, page_size=2)
    assert isinstance(page, ProductPage), page
    pages += 1
    products += len(page.results)
    cursor = parse_qs(urlsplit(page.next_).query)["cursor"][0] if page.next_ else None
say("walk", pages=pages, products=products)

product = create_product.sync(
    client=by_token, body=ProductInput(name="Oak chair", price="49.90", stock=12)
)
assert isinstance(product, Product), product
say("create", name=product.name, price=product.price)

invalid = create_product.sync_detailed(
    client=connect(token, "Token", **prefer(400, "price_not_a_number")),
    body=ProductInput(name="Oak chair", price="free"),
)
assert isinstance(invalid.parsed, ProductErrors), invalid
say("get a typed error", status=invalid.status_code, price=invalid.parsed.price)

blacklist_token.sync(client=anonymous, body=BlacklistRequest(refresh))
say("log out")

refused = refresh_token.sync_detailed(
    client=Client(URL, headers=prefer(401, "token_blacklisted")), body=RefreshRequest(refresh)
)
assert isinstance(refused.parsed, ErrorDetail), refused
code, detail = refused.parsed.code, refused.parsed.detail
say("be refused a refresh", status=refused.status_code, code=code, detail=detail)

ended = destroy_auth_token.sync_detailed(client=by_token)
assert ended.status_code == 204, ended
say("end the token")

stranger = retrieve_me.sync_detailed(
    client=connect(token, "Token", **prefer(401, "token_unknown"))
)
assert isinstance(stranger.parsed, ErrorDetail), stranger
say("be refused by the token", status=stranger.status_code, detail=stranger.parsed.detail)
