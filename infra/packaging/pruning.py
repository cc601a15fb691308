"""What no function ever opens, and so is left out of its package."""

import re
from pathlib import Path, PurePosixPath

__all__ = ["is_needed", "prune"]

_SERVICES = ("s3", "sqs", "sns", "lambda", "secretsmanager", "sts")
"""Of more than 400 services that botocore describes, those that are called."""

_FOLDERS = re.compile(
    r"(^|/)(__pycache__|tests?|SelfTest|examples|include)/"
    r"|^bin/|^share/|^sqlalchemy/testing/|^numpy/(f2py|distutils|testing|_pyinstaller)/"
    r"|^sqlalchemy/dialects/(mssql|mysql|oracle)/|^Crypto/(IO|Math|Protocol|PublicKey|Signature)/|^(cffi|pycparser)/"
    r"|^boto3/(data|examples)/(?!s3/|sqs/|sns/)|^pydantic/v1/"
    r"|^sqladmin/(translations/|statics/(?!css/main\.css$))|^wtforms/locale/"
)
_KEPT = re.compile(r"^numpy/(testing/__init__|f2py/__init__)\.py$|^astropy/tests/(?!tests/|figures/|test_)")
_FILES = re.compile(
    r"\.(pyi|pyx|pxd|c|cc|cpp|h|hpp|a|lib|rst|pyc|md|map|f90|f)$"
    r"|/(RECORD|INSTALLER|REQUESTED|WHEEL|direct_url\.json|top_level\.txt|sboms?/.*)$"
    r"|(^|/)conftest\.py$|\.dist-info/sboms/"
    r"|^PIL/_(avif|imagingft|imagingtk|webp|imagingcms|imagingmath|imagingmorph)\."
    r"|^pillow\.libs/lib(avif|freetype|harfbuzz|webp\w*|sharpyuv|lcms2|brotli\w*)-"
)
_SERVICE = re.compile(r"^botocore/data/([^/]+)/")


def is_needed(path: PurePosixPath) -> bool:
    """Tell whether a file, by its path within the package, may be opened by a function."""
    name = str(path)
    service = _SERVICE.match(name)
    if service is not None:
        return service[1] in _SERVICES
    return bool(_KEPT.match(name)) or not (_FOLDERS.search(name) or _FILES.search(name))


def prune(folder: Path) -> None:
    """Remove from a folder what is not needed, and the folders that are empty then."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif not is_needed(PurePosixPath(path.relative_to(folder).as_posix())):
            path.unlink()
