"""A lock has one holder, whatever becomes of the connections of the pool meanwhile."""

from contextlib import ExitStack

from shared.database import holding, make_engine
from tests.postgres import new_database


def test_one_holds_it_until_the_block_ends(postgres: str) -> None:
    url = new_database(postgres, "locks")
    engine, other = make_engine(url), make_engine(url)
    with ExitStack() as stack:
        assert stack.enter_context(holding(engine, 7))
        with engine.connect(), engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        for one in (engine, other):
            with holding(one, 7) as is_ours, holding(one, 8) as is_another:
                assert (is_ours, is_another) == (False, True)
        busy = [stack.enter_context(engine.connect()) for _ in range(3)]
        assert len(busy) == 3
    for one in (other, engine):
        with holding(one, 7) as is_ours:
            assert is_ours
        one.dispose()
