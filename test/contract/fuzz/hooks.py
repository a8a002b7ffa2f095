"""What Schemathesis cannot take from the contract. Its other settings are in schemathesis.toml."""

import random
import uuid
from collections import Counter

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

import accounts
import drf
import figures  # noqa: F401, registers itself
import reasons

PROBLEM = "application/problem+json"

# Mostly such as a price may be: it has a pattern as well.
schemathesis.openapi.format(
    "decimal",
    strategies.one_of(
        strategies.integers(0, 10**8 - 1).map(str),
        strategies.decimals(0, 10**8 - 1, places=2).map(str),
        strategies.sampled_from(["-1.50", "1e3", "+7", "0.001", "100000000000"]),
    ),
)


def id_of(case):
    return case.operation.definition.raw["operationId"]


def account_for(case):
    """Who calls: nobody where the scheme is not taken, and for a new password somebody who is not needed after it."""
    schemes = [name for way in case.operation.definition.raw["security"] for name in way]
    if accounts.SCHEME not in schemes:
        return None
    return "somebody" if id_of(case) == "setPassword" else "caller"


# What ends the credentials that a request carries.
ENDING = {
    "tokenAuth": {"destroyAuthToken", "rotateAuthToken", "setPassword"},
    "bearerJWT": {"revokeAllSessions", "endSession", "setPassword"},
}.get(accounts.SCHEME, set())
current = {}
issued = {}


def credentials_of(account):
    if account not in current:
        user = accounts.CALLER if account == "caller" else accounts.register()
        current[account] = accounts.authorization(user)
        issued[current[account]] = account
    return current[account]


@schemathesis.auth(refresh_interval=None)
class Credentials:
    def get(self, case, _context):
        account = account_for(case)
        return None if account is None else credentials_of(account)

    def set(self, case, data, _context):
        case.headers["Authorization"] = data


@schemathesis.hook("before_call")
def renew_credentials(_context, case, _kwargs):
    """Cases are made before they are sent, and what is sent in between may have ended their credentials."""
    account = issued.get(case.headers.get("Authorization"))
    if account is not None:
        case.headers["Authorization"] = credentials_of(account)


@schemathesis.hook("after_call")
def forget_credentials(_context, case, response):
    account = issued.get(response.request.headers.get("Authorization"))
    has_ended = 200 <= response.status_code < 300 and id_of(case) in ENDING
    if response.status_code == 401 or has_ended:
        current.pop(account, None)


turns = Counter()
given = set()


@schemathesis.hook("after_call")
def collect_given(_context, _case, response):
    """What an answer gives and a link may take on: names and tokens."""
    if response.status_code < 300 and response.content[:1] == b"{":
        given.update(value for value in response.json().values() if isinstance(value, str))


@schemathesis.hook("before_call")
def fill_in(_context, case, _kwargs):
    """
    Gives every other valid request values that exist, so that it is not only refused. In the stateful phase it is those
    that no link has given any.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    name = id_of(case)
    accounts.BEFORE.get(name, lambda: None)()
    turns[name] += 1
    is_stateful = case.meta.phase.name.value == "stateful"
    if not is_stateful and turns[name] % 2 == 0:
        return
    if name in accounts.BODIES and isinstance(case.body, dict):
        if is_stateful and any(isinstance(value, str) and value in given for value in case.body.values()):
            return
        members = accounts.BODIES[name]()
        if "email" not in case.body:
            members.pop("email", None)
        case.body = {**case.body, **members}
    if case.operation.path in accounts.OBJECTS and not is_stateful:
        key, tag = accounts.OBJECTS[case.operation.path]()
        case.path_parameters = {**case.path_parameters, "id": key}
        case.headers.update({name: tag for name in ("If-Match", "If-None-Match") if name in case.headers})
        tags.add(tag)


tags = set()
chance = random.Random(0)


@schemathesis.hook("after_call")
def collect_tags(_context, _case, response):
    tags.update(response.headers.get("etag", []))


@schemathesis.hook("before_call")
def lift_conditions(_context, case, _kwargs):
    """A tag that is old, or a key that was used, would hide what comes of the rest of the request."""
    if chance.random() < 0.2:
        return
    if "If-Match" in case.headers and case.headers["If-Match"] not in tags:
        case.headers["If-Match"] = "*"
    if drf.IDEMPOTENCY_KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


@schemathesis.hook("before_call")
def name_problems(_context, case, _kwargs):
    if chance.random() < 0.3:
        case.headers["Accept"] = f"application/json, {PROBLEM}"


@schemathesis.check
def refusals_are_problems(_context, response, _case):
    """Refusals are problems for those who name them, and for nobody else."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    asked = response.request.headers.get("Accept", "")
    assert (kind == PROBLEM) == (PROBLEM in asked), f"{kind} for `Accept: {asked}`"


@schemathesis.hook
def filter_failure(_context, failure, case, response):
    """
    Of the values that a schema excludes, DRF takes those that it can read as one that the schema admits; and some that
    it admits are refused for reasons that no schema can hold. The contract says both in words.
    """
    if drf.is_too_large(case, response):
        return False
    if reasons.is_condition(response):
        return not isinstance(failure, (AcceptedNegativeData, RejectedPositiveData))
    if isinstance(failure, AcceptedNegativeData):
        return not drf.Sent(case, response.request).fits()
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        return not reasons.are_told(id_of(case), drf.Sent(case, response.request), response.json())
    return True
