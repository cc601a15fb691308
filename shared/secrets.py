"""Settings that are secret, from AWS Secrets Manager: what a function reads when it starts."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

__all__ = ["read_secret", "settings_of_secret"]


def read_secret(arn: str) -> dict[str, str]:
    """Return the settings that a secret holds, by their names without prefix, in small letters.

    Raises
    ------
    ValueError
        It is not a JSON object.
    botocore.exceptions.ClientError
        There is none, or it may not be read.
    """
    import boto3  # noqa: PLC0415 - takes long, and most have no such secret

    region = arn.split(":")[3] if arn.startswith("arn:") else None
    client = boto3.client("secretsmanager", region_name=region)
    return settings_of_secret(client.get_secret_value(SecretId=arn)["SecretString"])


def settings_of_secret(text: str) -> dict[str, str]:
    """Return the settings in the text of a secret: by name, or a database as RDS writes it.

    >>> settings_of_secret('{"username": "ada", "password": "a/b", "host": "db", "port": 5432, "dbname": "fits"}')
    {'database_url': 'postgresql+psycopg://ada:a%2Fb@db:5432/fits?sslmode=require'}
    """
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ValueError("the secret is not a JSON object")  # noqa: TRY004 - it is the text that is wrong
    found = {str(name).lower().removeprefix("fitsvault_"): value for name, value in values.items()}
    given = {name: str(value) for name, value in found.items() if name not in _OF_RDS and value is not None}
    if "database_url" not in given and {"host", "username", "password"} <= found.keys():
        given["database_url"] = _database_url(found)
    return given


_OF_RDS = {
    *("host", "port", "username", "password", "dbname", "engine"),
    *("dbinstanceidentifier", "dbclusteridentifier", "masterarn"),
}


def _database_url(found: Mapping[str, Any]) -> str:
    who = f"{quote(str(found['username']), safe='')}:{quote(str(found['password']), safe='')}"
    where = f"{found['host']}:{found.get('port') or 5432}/{found.get('dbname') or 'fitsvault'}"
    return f"postgresql+psycopg://{who}@{where}?sslmode=require"
