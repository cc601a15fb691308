"""An archive of functions: LocalStack's S3 and SQS from our template, a PostgreSQL, and the packages around them."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from localstack.stores.stack import deploy_storage
from shared.accounts.account import Role
from shared.accounts.service import create_user
from shared.accounts.tokens import issue_token
from shared.database import make_engine, make_session_factory, write
from shared.migrations import upgrade
from shared.settings import Settings
from tests.notify.localstack import running_localstack
from tests.packages.archive import FunctionArchive
from tests.packages.unpacked import Unpacked, unpacked
from tests.postgres import new_database


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """The functions as they were built."""
    return unpacked(tmp_path_factory.mktemp("task"))


@pytest.fixture(scope="session")
def deployed(packages: Unpacked, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionArchive]:
    """The archive, with all functions up to be called."""
    home = tmp_path_factory.mktemp("aws")
    url = new_database(postgres, f"functions_{uuid.uuid4().hex[:8]}")
    engine = make_engine(url)
    upgrade(engine)
    with write(make_session_factory(engine)) as session:
        token = issue_token(session, create_user(session, "ada", "secret words", role=Role.SUPERUSER), "test")
    engine.dispose()
    with running_localstack(home, "s3,sqs,cloudformation") as settings, ExitStack() as stack:
        given = {"queue_url": deploy_storage(settings), "database_url": url}
        whole = Settings.model_validate(settings.model_dump() | given)
        yield stack.enter_context(FunctionArchive(packages, whole, token, home))
