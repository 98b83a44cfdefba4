"""One Prefect flow a playbook, for the entrypoints in prefect.yaml: `flows.deployed.<playbook, - as _>`."""

from flows.engine.books import open_book
from flows.runs.deploy import variable
from flows.runs.flow import flow_of
from flows.settings import Settings

globals().update(
    {variable(name): flow_of(playbook) for name, playbook in open_book(Settings().playbooks).playbooks.items()}
)
