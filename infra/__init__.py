"""What the archive needs around it on AWS: templates, and the packages of its functions."""
