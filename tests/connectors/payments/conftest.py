"""A service that answers by script, and a connection to it."""

from contextlib import ExitStack

import pytest

from connectors.testing import scripted


@pytest.fixture
def open_at():
    """Make a connection to a service of its own; both end with the test."""
    with ExitStack() as stack:

        def connect(kind, name, environ, answers, **settings):
            script = stack.enter_context(scripted(dict(answers)))
            given = {"base_url": script.base_url, "allow_loopback": True, **settings}
            connector = kind.connect(name, given, environ=environ)
            stack.callback(connector.close)
            return connector, script

        yield connect
