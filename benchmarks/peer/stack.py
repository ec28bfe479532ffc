"""FastAPI, SQLAlchemy, PostgreSQL and Redis: takes a request, checks it, records an order.

Five checks (kill switch, key, size, price, rate) and one committed row. It places nothing and waits
for no fill, so it does less than what it is compared with. Run by uvicorn in an environment of its
own; the addresses of both servers come from the environment.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

import redis.asyncio as redis
from fastapi import FastAPI, HTTPException
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel
from sqlalchemy import Numeric, String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["PEER_DATABASE"], pool_size=40)
sessions = async_sessionmaker(engine, expire_on_commit=False)
cache = redis.Redis(host="127.0.0.1", port=int(os.environ["PEER_REDIS_PORT"]))
SIZE_MAX, PRICE_MIN, PRICE_MAX, RATE_MAX = Decimal(1000), Decimal("0.05"), Decimal("0.95"), 10**9


class Base(DeclarativeBase):
    """Tables."""


class Order(Base):
    """One order."""

    __tablename__ = "orders"
    idempotency_key: Mapped[str] = mapped_column(String, primary_key=True)
    request_id: Mapped[str] = mapped_column(String, index=True)
    platform: Mapped[str]
    market_id: Mapped[str] = mapped_column(String, index=True)
    side: Mapped[str]
    action: Mapped[str]
    size: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    limit_price: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    strategy: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Execution(BaseModel):
    """A request."""

    request_id: str
    idempotency_key: str
    platform: str
    market_id: str
    side: str
    action: str
    size: Decimal
    limit_price: Decimal
    strategy: str
    model_version: str | None = None
    sport: str | None = None
    time_in_force: str = "IOC"
    created_at: datetime | None = None


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan, default_response_class=ORJSONResponse)


@app.get("/healthz")
async def healthz() -> dict[str, bool]:
    """Say that it runs."""
    return {"ok": True}


@app.post("/v1/executions")
async def execute(asked: Execution) -> dict[str, object]:
    """Check a request and record its order."""
    if await cache.get("kill_switch") == b"1":
        raise HTTPException(403, "halted")
    if asked.size * asked.limit_price > SIZE_MAX:
        raise HTTPException(403, "size")
    if not PRICE_MIN <= asked.limit_price <= PRICE_MAX:
        raise HTTPException(403, "price")
    if await cache.incr("rate") > RATE_MAX:
        raise HTTPException(429, "rate")
    async with sessions() as session:
        held = await session.scalar(
            select(func.count()).select_from(Order).where(Order.request_id == asked.request_id)
        )
        row = asked.model_dump(exclude={"model_version", "sport", "time_in_force", "created_at"})
        made = await session.execute(
            insert(Order).values(**row, status="Filled").on_conflict_do_nothing()
        )
        await session.commit()
    is_new = held == 0 and made.rowcount == 1
    return {"request_id": asked.request_id, "status": "Filled" if is_new else "Duplicate"}
