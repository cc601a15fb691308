"""How the database answers a question: the plans of its statements."""

import random
from collections.abc import Iterator

from shared.database import make_session_factory
from tests.bench_index.queries import Question
from tests.bench_index.stock import Stock
from tests.bench_index.ways import answer_by_index, statements_of

__all__ = ["explain"]


def explain(stock: Stock, question: Question) -> Iterator[str]:
    """Yield the statements of one request with their plans; on PostgreSQL with what they really took."""
    request = question.ask(random.Random(f"{question.name} 0"))
    sessions = make_session_factory(stock.ours)
    answer_by_index(sessions, request)
    with statements_of(stock.ours) as statements:
        answer_by_index(sessions, request)
    is_postgres = stock.ours.dialect.name == "postgresql"
    word = "EXPLAIN (ANALYZE, BUFFERS)" if is_postgres else "EXPLAIN QUERY PLAN"
    yield f"## {question.name}: {request.path} {dict(request.parameters)}\n"
    for statement, parameters in list(statements):
        with stock.ours.connect() as connection:
            plan = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
        lines = [str(row[0] if is_postgres else row[3]) for row in plan]
        yield "\n".join(["```", statement, "", *lines, "```", ""])
