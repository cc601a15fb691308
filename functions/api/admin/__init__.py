"""The admin panel at ``/admin/``: accounts, tokens, sessions, frames and failures, for superusers."""
