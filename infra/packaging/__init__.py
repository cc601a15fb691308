"""One zip for each function, as AWS Lambda takes it: the same bytes whenever the same is built."""
