"""
The product page, its create and the check of a token with FastAPI, asyncpg and PyJWT, one uvicorn process:

    cd test/bench/contenders/fastapi && python main.py

Takes access tokens that were signed elsewhere with SIGNING_KEY, and knows no users.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import asyncpg
import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, StringConstraints

PAGE_SIZE = 25
MAX_ID = 2**63 - 1
SIGNING_KEY = os.environ["SIGNING_KEY"]

COLUMNS = "id, name, description, price, stock, owner, created_at, updated_at"
# One row more than a page tells whether there is another page.
NEWEST = f"SELECT {COLUMNS} FROM product ORDER BY id DESC LIMIT {PAGE_SIZE + 1}"
OLDER = f"SELECT {COLUMNS} FROM product WHERE id < $1 ORDER BY id DESC LIMIT {PAGE_SIZE + 1}"
INSERT = f"INSERT INTO product (name, description, price, stock, owner) VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}"


# PostgreSQL stores no NUL.
STORABLE = r"^[^\x00]*$"


class NewProduct(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=STORABLE)]
    description: Annotated[str, StringConstraints(pattern=STORABLE)] = ""
    price: Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=2)]
    stock: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class Product(BaseModel):
    id: int
    name: str
    description: str
    price: Decimal
    stock: int
    owner: int
    created_at: datetime
    updated_at: datetime


class ProductPage(BaseModel):
    next: str | None
    previous: str | None
    results: list[Product]


class Token(BaseModel):
    token: str


async def keep_as_is(connection: asyncpg.Connection) -> None:
    """No statement here changes a session; to reset it after each would be a round trip more."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    database = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(database, min_size=10, max_size=10, reset=keep_as_is) as pool:
        app.state.pool = pool
        yield


app = FastAPI(title="Shop", lifespan=lifespan)


def get_pool(request: Request) -> asyncpg.Pool:
    return request.app.state.pool


def decode(token: str) -> dict:
    try:
        claims = jwt.decode(token, SIGNING_KEY, algorithms=["HS256"], options={"require": ["exp", "iat", "jti"]})
    except jwt.InvalidTokenError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Token is invalid or expired") from error
    return claims


# `async`, although nothing is awaited: FastAPI sends plain functions to a pool of threads.
async def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> int:
    claims = decode(credentials.credentials)
    try:
        if claims["token_type"] == "access":
            return int(claims["user_id"])
    except (KeyError, TypeError, ValueError):
        pass
    raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Token has wrong type or no user")


Pool = Annotated[asyncpg.Pool, Depends(get_pool)]
CurrentUser = Annotated[int, Depends(current_user)]


@app.get("/healthz")
async def healthz() -> None:
    return None


@app.get("/products/", dependencies=[Depends(current_user)])
async def list_products(
    request: Request, pool: Pool, cursor: Annotated[int | None, Query(ge=0, le=MAX_ID)] = None
) -> ProductPage:
    rows = await (pool.fetch(NEWEST) if cursor is None else pool.fetch(OLDER, cursor))
    results = [Product(**row) for row in rows[:PAGE_SIZE]]
    has_next = len(rows) > PAGE_SIZE
    following = str(request.url.include_query_params(cursor=results[-1].id)) if has_next else None
    return ProductPage(next=following, previous=None, results=results)


@app.post("/products/", status_code=status.HTTP_201_CREATED)
async def create_product(product: NewProduct, user: CurrentUser, pool: Pool) -> Product:
    row = await pool.fetchrow(INSERT, product.name, product.description, product.price, product.stock, user)
    return Product(**row)


@app.post("/verify_token/")
async def verify_token(body: Token) -> dict[str, str]:
    decode(body.token)
    return {}


if __name__ == "__main__":
    uvicorn.run(
        app,
        host=os.environ["HOST"],
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
