"""Telling others what became of objects: a webhook, an SQS queue, an SNS topic."""
