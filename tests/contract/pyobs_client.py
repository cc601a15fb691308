"""The archive client of pyobs-core, as a program: runs in an environment of its own, knows nothing of this project.

Reads a JSON document from each line of standard input, ``{"call", "url", "token", …}``, and answers with a line that
says what the client returned or raised.
"""

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from astropy.io import fits
from pyobs.images import Image
from pyobs.robotic.utils.archive import PyobsArchive
from pyobs.utils.enums import ImageType
from pyobs.utils.time import Time
from pyobs.vfs import ArchiveFile


def query(parameters: dict[str, Any]) -> dict[str, Any]:
    kinds = {"start": Time, "end": Time, "image_type": ImageType}
    return {name: kinds.get(name, lambda value: value)(value) for name, value in parameters.items()}


def pixels(image: Image) -> str:
    return hashlib.sha256(image.data.astype(">f8").tobytes()).hexdigest()


async def options(client: PyobsArchive, job: dict[str, Any]) -> Any:
    return await client.list_options(**query(job.get("query", {})))


async def frames(client: PyobsArchive, job: dict[str, Any]) -> Any:
    found = await client.list_frames(**query(job.get("query", {})))
    return [
        {
            "id": frame.id,
            "filename": frame.filename,
            "dateobs": frame.dateobs.isot,
            "filter_name": frame.filter_name,
            "binning": frame.binning,
            "exptime": frame.exptime,
        }
        for frame in found
    ]


async def download(client: PyobsArchive, job: dict[str, Any]) -> Any:
    images = await client.download_frames(await client.list_frames(**query(job["query"])))
    return [
        {
            "FNAME": image.header["FNAME"],
            "OBJECT": image.header["OBJECT"],
            "pixels": pixels(image),
            "catalog": None if image.safe_catalog is None else len(image.safe_catalog),
        }
        for image in images
    ]


async def headers(client: PyobsArchive, job: dict[str, Any]) -> Any:
    return await client.download_headers(await client.list_frames(**query(job["query"])))


async def upload(client: PyobsArchive, job: dict[str, Any]) -> Any:
    images = [Image.from_file(path) for path in job["files"]]
    await client.upload_frames(images)
    return [pixels(image) for image in images]


async def write_file(client: PyobsArchive, job: dict[str, Any]) -> Any:
    for path in map(Path, job["files"]):
        async with ArchiveFile(path.name, client.url, mode="w", token=client.token) as file:
            await file.write(path.read_bytes())
    return [fits.getheader(path)["NAXIS"] for path in job["files"]]


CALLS = {
    "list_options": options,
    "list_frames": frames,
    "download_frames": download,
    "download_headers": headers,
    "upload_frames": upload,
    "ArchiveFile": write_file,
}


async def answer(job: dict[str, Any]) -> dict[str, Any]:
    client = PyobsArchive(url=job["url"], token=job["token"])
    try:
        return {"returned": await CALLS[job["call"]](client, job)}
    except Exception as error:  # noqa: BLE001 - what the client raises is what the test asks for
        return {"raised": type(error).__name__, "text": str(error)}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asyncio.run(answer(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
