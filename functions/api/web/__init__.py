"""The web page: searched, looked at and taken home with a browser, with scripts or without."""
