"""The whole archive on one machine: object store, event delivery, API, reconcile."""
