"""FITS files: reading, describing, previewing. This room knows no store and no database."""
