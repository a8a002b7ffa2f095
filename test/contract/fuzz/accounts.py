"""Accounts of the service under test, the credentials of the run, and values that have to exist to be taken."""

import base64
import itertools
import json
import os
import uuid

import requests

BASE = os.environ["FUZZ_URL"].rstrip("/")
SCHEME = os.environ["FUZZ_SCHEME"]
PASSWORD = os.environ["FUZZ_PASSWORD"]
CLIENT_SECRET = os.environ["FUZZ_CLIENT_SECRET"]

# Staff, so that nothing is refused for whose it is: that is what the matrix of the tests is for.
CALLER = {"username": os.environ["FUZZ_USERNAME"], "password": PASSWORD}

session = requests.Session()
session.trust_env = False
numbers = itertools.count(1)


def post(path, body, **headers):
    response = session.post(f"{BASE}{path}", json=body, headers=headers, timeout=30)
    response.raise_for_status()
    return response.json()


RUN = uuid.uuid4().hex[:8]


def new_name():
    return f"fuzz-{RUN}-{next(numbers)}"


def register():
    account = {"username": new_name(), "password": PASSWORD}
    post("/auth/users/", account)
    return account


def authorization(account):
    """The header that the scheme of this run demands."""
    if SCHEME == "tokenAuth":
        return "Token " + post("/auth/token/", account)["token"]
    if SCHEME == "bearerJWT":
        return "Bearer " + post("/login/", account)["access"]
    return "Basic " + base64.b64encode(f"introspection:{CLIENT_SECRET}".encode()).decode()


def session_id():
    """A session of the caller's own that lives."""
    payload = post("/login/", CALLER)["access"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["sid"]


def product():
    """The id and the tag of a product of the caller's own."""
    response = session.post(
        f"{BASE}/products/",
        json={"name": "Oak chair", "price": "49.90"},
        headers={"Authorization": authorization(CALLER)},
        timeout=30,
    )
    response.raise_for_status()
    return response.json()["id"], response.headers["ETag"]


bystander = None


def bystander_account():
    """Whose tokens may end without the run losing its own."""
    global bystander
    bystander = bystander or register()
    return bystander


def token(kind):
    if kind == "sliding":
        return post("/login/sliding/", bystander_account())["token"]
    if kind == "opaque":
        return post("/auth/token/", bystander_account())["token"]
    return post("/login/", bystander_account())[kind]


kinds = itertools.cycle(["access", "refresh", "sliding", "opaque"])

# Members of the body, by operation; those that may be left out are only replaced where they were drawn.
BODIES = {
    "obtainAuthToken": bystander_account,
    "login": bystander_account,
    "obtainSlidingToken": bystander_account,
    "registerUser": lambda: {"username": new_name(), "password": PASSWORD, "email": "erin@example.org"},
    "updateMe": lambda: {"email": "erin@example.org"},
    "setPassword": lambda: {"current_password": PASSWORD, "new_password": PASSWORD},
    "refreshToken": lambda: {"refresh": token("refresh")},
    "blacklistToken": lambda: {"refresh": token("refresh")},
    "refreshSlidingToken": lambda: {"token": token("sliding")},
    "verifyToken": lambda: {"token": token("access")},
    "introspectToken": lambda: {"token": token(next(kinds))},
    "revokeToken": lambda: {"token": token(next(kinds))},
}

# What has to be there for the operation to have something to show.
BEFORE = {"listSessions": lambda: post("/login/", CALLER)}

# The id of an object, and its tag where it has one.
OBJECTS = {
    "/auth/sessions/{id}/": lambda: (session_id(), None),
    "/products/{id}/": product,
}
