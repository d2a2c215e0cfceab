"""From the YAML files of conf/ to checked settings, and from these to objects."""
