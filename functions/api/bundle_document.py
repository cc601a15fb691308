"""What is told of a bundle, as plain data that goes out as JSON."""

from shared.bundle.assembly import bundle_name
from shared.bundle.jobs import State
from shared.index.bundle_jobs import BundleJob
from shared.index.times import format_time

__all__ = ["bundle_document"]


def bundle_document(job: BundleJob, link: tuple[str, str] | None) -> dict[str, object]:
    """Return what is told of a bundle; ``link`` is its URL and when that ends."""
    is_ready = job.state == State.READY
    return {
        "id": job.id,
        "state": job.state,
        "status_url": f"bundles/{job.id}/",
        "file_url": f"bundles/{job.id}/file/",
        "url": link[0] if link else None,
        "url_expires": link[1] if link else None,
        "filename": f"{bundle_name(job.day)}.zip",
        "asked": job.asked,
        "frames": job.frames,
        "bytes": job.size,
        "bytes_done": job.done,
        "progress": 1.0 if is_ready else min(round(job.done / job.size, 4) if job.size else 0.0, 1.0),
        "bytes_passed": job.passed if is_ready else None,
        "crc32": f"{job.crc32:08x}" if job.crc32 is not None else None,
        "left_out": job.left_out,
        "detail": job.reason,
        "created": format_time(job.created_at),
        "finished": format_time(job.finished_at),
        "expires": format_time(job.expires_at),
    }
