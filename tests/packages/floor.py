"""The least that an API of FastAPI, Mangum and SQLAlchemy can be: what cold starts are compared with."""

import os
from typing import Any

from fastapi import FastAPI
from mangum import Mangum
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "frames"

    id: Mapped[int] = mapped_column(primary_key=True)
    basename: Mapped[str]


sessions = sessionmaker(create_engine(os.environ["FITSVAULT_DATABASE_URL"]))
app = FastAPI()


@app.get("/frames/")
def get_frames() -> Any:
    with sessions() as session:
        rows = session.scalars(select(Row).limit(10))
        return {"results": [{"id": row.id, "basename": row.basename} for row in rows]}


adapter = Mangum(app, lifespan="off")


def handler(event: Any, context: Any) -> Any:
    return adapter(event, context)
