"""The playbook language: everything that people write in YAML, read, typed and checked."""
