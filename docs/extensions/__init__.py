"""What the site adds to Sphinx: pages written from the registry, the configurations and the commands."""
