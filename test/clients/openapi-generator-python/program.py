import json
import os
from typing import Callable
from urllib.parse import parse_qs, urlsplit

from latchkey import (
    AccountsApi,
    ApiClient,
    ApiException,
    BlacklistRequest,
    Configuration,
    Credentials,
    ErrorDetail,
    JSONWebTokensApi,
    ProductErrors,
    ProductInput,
    ProductsApi,
    RefreshRequest,
    TokenCredentials,
    TokensApi,
)

URL = os.environ["LATCHKEY_URL"]
USERNAME = os.environ["LATCHKEY_USERNAME"]
PASSWORD = os.environ["LATCHKEY_PASSWORD"]


def say(step: str, **facts: object) -> None:
    print(json.dumps({"step": step, **facts}), flush=True)


def by_token(token: str) -> ApiClient:
    prefix = {"tokenAuth": "Token"}
    return ApiClient(Configuration(URL, api_key={"tokenAuth": token}, api_key_prefix=prefix))


def by_jwt(access: str) -> ApiClient:
    return ApiClient(Configuration(URL, access_token=access))


def prefer(status: int, example: str) -> dict[str, str]:
    """Asks the mock for a refusal by name. The service ignores this."""
    return {"Prefer": f"code={status}, example={example}"}


def refusal(call: Callable[[], object]) -> ApiException:
    try:
        call()
    except ApiException as error:
        return error
    raise SystemExit("no refusal")


anonymous = ApiClient(Configuration(URL))
sessions = JSONWebTokensApi(anonymous)

credentials = TokenCredentials(username=USERNAME, password=PASSWORD)
token = TokensApi(anonymous).obtain_auth_token(credentials).token
say("get token", username=AccountsApi(by_token(token)).retrieve_me().username)

pair = sessions.login(Credentials(username=USERNAME, password=PASSWORD))
say("log in", username=AccountsApi(by_jwt(pair.access)).retrieve_me().username)

renewed = sessions.refresh_token(RefreshRequest(refresh=pair.refresh))
refresh = renewed.refresh or pair.refresh
say("refresh", username=AccountsApi(by_jwt(renewed.access)).retrieve_me().username)

pages = products = 0
cursor = None
while pages == 0 or cursor is not None:
    page = ProductsApi(by_jwt(renewed.access)).list_products(cursor=cursor, page_size=2)
    pages += 1
    products += len(page.results)
    cursor = parse_qs(urlsplit(page.next).query)["cursor"][0] if page.next else None
say("walk", pages=pages, products=products)

owned = ProductsApi(by_token(token))
product = owned.create_product(ProductInput(name="Oak chair", price="49.90", stock=12))
say("create", name=product.name, price=product.price)

# The model itself refuses this price. What has got past it, the service refuses.
free = ProductInput.model_construct(name="Oak chair", price="free")
error = refusal(lambda: owned.create_product(free, _headers=prefer(400, "price_not_a_number")))
assert isinstance(error.data, ProductErrors), error
say("get a typed error", status=error.status, price=error.data.price)

sessions.blacklist_token(BlacklistRequest(refresh=refresh))
say("log out")

again = RefreshRequest(refresh=refresh)
error = refusal(lambda: sessions.refresh_token(again, _headers=prefer(401, "token_blacklisted")))
assert isinstance(error.data, ErrorDetail), error
say("be refused a refresh", status=error.status, code=error.data.code, detail=error.data.detail)

TokensApi(by_token(token)).destroy_auth_token()
say("end the token")

stranger = AccountsApi(by_token(token))
error = refusal(lambda: stranger.retrieve_me(_headers=prefer(401, "token_unknown")))
assert isinstance(error.data, ErrorDetail), error
say("be refused by the token", status=error.status, detail=error.data.detail)
