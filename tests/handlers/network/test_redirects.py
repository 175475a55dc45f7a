from __future__ import annotations

from contextlib import closing

import pytest

from handlers import ProviderError, network
from tests.handlers.fakes import RecordingLent
from tests.handlers.servers import Reply, http_server


def test_redirect_to_another_origin_takes_no_key_along() -> None:
    """A port is another origin, too; what the first host was told is not the second one's."""
    with http_server(Reply(body=b"here")) as second:
        there = Reply(status=302, headers={"Location": f"{second.url}/file"})
        with http_server(there) as first, network.call(RecordingLent(), seconds=10):
            headers = {"Authorization": "Bearer key-of-somebody", "X-Own": "1", "Accept": "text/plain"}
            request = network.client().build_request("GET", first.url, headers=headers)
            with closing(network.send(request)) as response:
                content = network.read(response, max_bytes=100)

    assert content == b"here"
    assert first.received[0].headers["authorization"] == "Bearer key-of-somebody"
    assert {"authorization", "x-own"} & set(second.received[0].headers) == set()
    assert second.received[0].headers["accept"] == "text/plain"


def test_redirects_that_do_not_end_are_a_failure() -> None:
    """Ten are followed."""
    with (
        http_server(Reply(status=302, headers={"Location": "/again"})) as server,
        network.call(RecordingLent(), seconds=10),
        pytest.raises(ProviderError) as failure,
    ):
        network.send(network.client().build_request("GET", server.url))

    assert failure.value.code == "too_many_redirects"
    assert len(server.received) == network.MAX_REDIRECTS + 1
