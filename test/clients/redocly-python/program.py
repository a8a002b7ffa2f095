import json
import os

from latchkey import (
    ApiError,
    BlacklistRequest,
    Client,
    Credentials,
    ErrorDetail,
    ProductErrors,
    ProductInput,
    RefreshRequest,
    TokenCredentials,
    decode,
)

URL = os.environ["LATCHKEY_URL"]
USERNAME = os.environ["LATCHKEY_USERNAME"]
PASSWORD = os.environ["LATCHKEY_PASSWORD"]


def say(step: str, **facts: object) -> None:
    print(json.dumps({"step": step, **facts}), flush=True)


def prefer(status: int, example: str) -> dict[str, str]:
    """Asks the mock for a refusal by name. The service ignores this."""
    return {"Prefer": f"code={status}, example={example}"}


anonymous = Client(URL)

token = anonymous.obtain_auth_token(TokenCredentials(USERNAME, PASSWORD)).token
by_token = Client(URL, auth={"apiKey": {"tokenAuth": f"Token {token}"}})
say("get token", username=by_token.retrieve_me().username)

pair = anonymous.login(Credentials(USERNAME, PASSWORD))
by_jwt = Client(URL, auth={"bearer": pair.access})
say("log in", username=by_jwt.retrieve_me().username)

renewed = anonymous.refresh_token(RefreshRequest(pair.refresh))
refresh = renewed.refresh or pair.refresh
by_jwt = Client(URL, auth={"bearer": renewed.access})
say("refresh", username=by_jwt.retrieve_me().username)

pages = [page.results for page in by_jwt.list_products_pages(page_size=2)]
say("walk", pages=len(pages), products=sum(len(results) for results in pages))

product = by_token.create_product(ProductInput(name="Oak chair", price="49.90", stock=12))
say("create", name=product.name, price=product.price)

try:
    by_token.create_product(
        ProductInput(name="Oak chair", price="free"), headers=prefer(400, "price_not_a_number")
    )
    raise SystemExit("a word was taken for a price")
except ApiError as error:
    invalid: ProductErrors = decode(ProductErrors, error.body)
    say("get a typed error", status=error.status, price=invalid.price)

anonymous.blacklist_token(BlacklistRequest(refresh))
say("log out")

try:
    anonymous.refresh_token(RefreshRequest(refresh), headers=prefer(401, "token_blacklisted"))
    raise SystemExit("a blacklisted token was refreshed")
except ApiError as error:
    refused: ErrorDetail = decode(ErrorDetail, error.body)
    say("be refused a refresh", status=error.status, code=refused.code, detail=refused.detail)

by_token.destroy_auth_token()
say("end the token")

try:
    by_token.retrieve_me(headers=prefer(401, "token_unknown"))
    raise SystemExit("an ended token was taken")
except ApiError as error:
    stranger: ErrorDetail = decode(ErrorDetail, error.body)
    say("be refused by the token", status=error.status, detail=stranger.detail)
