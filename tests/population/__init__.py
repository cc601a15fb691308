"""A population of frames as an observatory network of ten years has it: any number of them, the same for each seed.

Whatever the number, the frames span the same sites, nights and objects, so that what an index does with 100,000 of
them and with 10,000,000 can be compared. None of it is read from FITS files.
"""
