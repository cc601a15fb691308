"""When a sweep must not believe its eyes: a bucket that lacks most of its frames is likelier the wrong one. Pure."""

from shared.index.missing import Missing

__all__ = ["advice", "is_too_much"]

_FEW = 100
"""So many frames may go in any archive: they are soon ingested again."""


def is_too_much(missing: Missing) -> bool:
    """Tell whether more than half of the frames, and more than a hundred, are gone at once."""
    return missing.frames > _FEW and 2 * missing.frames > missing.known


def advice(missing: Missing, prefix: str = "") -> str:
    """Return what an operator should know and do, where frames were not removed."""
    of = f"{missing.frames} of {missing.known} frames have no object in the bucket any more, and were not removed"
    only = f" --prefix '{prefix}'" if prefix else ""
    return (
        f"{of}: is it the right store, with all of its disks? Once it is, all is well by itself. "
        f"Were they deleted on purpose: `fitsvault reconcile{only} --remove-missing`"
    )
