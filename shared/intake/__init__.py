"""Frames that come through the API and not by the bucket: checked, named, stored, seen into the index.

Knows neither astropy nor numpy, but for `packing`, which is imported only where uploads are to be packed.
"""
