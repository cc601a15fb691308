"""A dispatcher from settings."""

from dataclasses import replace

from sqlalchemy.orm import Session, sessionmaker

from shared.notify.dispatch import Dispatcher, Pace
from shared.notify.queues import Queue, Topic
from shared.notify.target import Target
from shared.notify.webhook import Webhook
from shared.settings import Settings

__all__ = ["make_dispatcher", "make_targets"]


def make_dispatcher(settings: Settings, sessions: sessionmaker[Session]) -> Dispatcher:
    """Return a dispatcher for the targets of the settings; without any it finds nothing to do."""
    return Dispatcher(sessions, make_targets(settings), replace(Pace(), attempts=settings.notify_attempts))


def make_targets(settings: Settings) -> dict[str, Target]:
    """Return by name those whom `Settings.notify_targets` names."""
    targets: dict[str, Target] = {}
    if settings.notify_url is not None and settings.notify_secret is not None:
        targets["webhook"] = Webhook(settings.notify_url.get_secret_value(), settings.notify_secret.get_secret_value())
    if settings.notify_queue_url is not None:
        targets["queue"] = Queue(settings, settings.notify_queue_url)
    if settings.notify_topic_arn is not None:
        targets["topic"] = Topic(settings, settings.notify_topic_arn)
    return targets
