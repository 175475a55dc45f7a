from __future__ import annotations

import copy
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from handlers.integrations import (
    Basic,
    Bearer,
    CursorPaging,
    Header,
    LinkPaging,
    OffsetPaging,
    PagePaging,
    Provider,
    Query,
)
from handlers.integrations.openapi import BadDocument, Service, build, describe, write
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import reply
from tests.handlers.integrations.toys import do
from tests.handlers.servers import Reply

SHOP = json.loads(Path(__file__).with_name("shop.json").read_text(encoding="utf-8"))


def shop() -> Provider:
    return build(describe(SHOP))


def with_changes(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SHOP), **changes}


def of(operation: dict[str, Any], path: str = "/things") -> Service:
    """A service of one operation, a GET."""
    return describe(with_changes(paths={path: {"get": {"responses": {}, **operation}}}))


# ---- What is carried over


def test_service_is_called_and_found_as_its_document_says() -> None:
    service = describe(SHOP)

    assert (service.name, service.title, service.base_url) == (
        "acme-shop",
        "Acme Shop API",
        "https://eu.shop.example/v2",
    )
    assert (service.auth, service.idempotency_header) == (Header(name="X-Shop-Key"), "Idempotency-Key")
    assert describe(SHOP, name="mine", base_url="https://other.example/").base_url == "https://other.example"


def test_service_has_the_operations_that_can_be_carried_over_and_names_the_others() -> None:
    """Nothing is lost without a word."""
    service = describe(SHOP)

    assert [(each.name, each.method, each.path) for each in service.operations] == [
        ("listCustomers", "GET", "/customers"),
        ("createCustomer", "POST", "/customers"),
        ("getCustomer", "GET", "/customers/{customer_id}"),
        ("patchCustomersByCustomerId", "PATCH", "/customers/{customer_id}"),
        ("deleteCustomer", "DELETE", "/customers/{customer_id}"),
        ("listOrders", "GET", "/orders"),
        ("placeOrders", "POST", "/orders"),
        ("getReceipt", "GET", "/orders/{id}/receipt"),
        ("getInvoice", "GET", "/orders/{id}/invoice"),
        ("upload", "POST", "/uploads"),
        ("putLogo", "PUT", "/logo"),
    ]
    assert [sentence.partition(" ")[0].rstrip(":") for sentence in service.left_out] == [
        "listCustomers",  # its filter
        "subscribe",
    ]


def test_service_of_some_operations_has_those() -> None:
    service = describe(SHOP, wanted=lambda name, tags: "orders" in tags and name.startswith("get"))

    assert [each.name for each in service.operations] == ["getReceipt", "getInvoice"]


def test_parameters_go_where_the_document_says() -> None:
    """Names that Python has taken are the service's again when they are sent."""
    given = {
        "name": "Ada",
        "email": "ada@example.test",
        "class": "gold",
        "json": {"a": 1},
        "age": "36",
        "friends": [{"name": "Bob"}],
        "notify": True,
        "bodyNotify": ["mail", "sms"],
        "xRequestId": "trace",
    }

    _, (request,) = do(shop(), "createCustomer", given, reply({}))

    assert (request.method, request.path) == ("POST", "/customers?notify=true")
    assert json.loads(request.body) == {
        "name": "Ada",
        "email": "ada@example.test",
        "class": "gold",
        "json": {"a": 1},
        "age": "36",
        "friends": [{"name": "Bob"}],
        "notify": ["mail", "sms"],
    }
    assert request.headers["x-request-id"] == "trace"
    assert request.headers["idempotency-key"]
    assert request.headers["x-shop-key"]


def test_parameter_that_is_called_like_another_is_not_filled_by_it() -> None:
    """A `notify` in the query, and one in the body."""
    given = {"name": "Ada", "email": "e", "notify": True}

    _, (request,) = do(shop(), "createCustomer", given, reply({}))

    assert (request.path, json.loads(request.body)) == ("/customers?notify=true", {"name": "Ada", "email": "e"})


def test_parameters_of_a_path_cannot_leave_it() -> None:
    _, (request,) = do(shop(), "getCustomer", {"customer-id": "a/../b?c"}, reply({}))

    assert request.path == "/customers/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize(
    ("operation", "parameters", "wrong"),
    [
        ("createCustomer", {"name": "Ada"}, "email"),
        ("createCustomer", {"name": "Ada", "email": "a", "id": "7"}, "id"),  # which is read only
        ("listCustomers", {"sort": "age"}, "sort"),
        ("getReceipt", {"id": "seven"}, "id"),
        ("placeOrders", {}, "body"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(operation: str, parameters: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as failure:
        shop().operations[operation].parameters.model_validate(parameters)

    assert [error["loc"][0] for error in failure.value.errors()] == [wrong]


def test_lists_of_a_query_are_repeated_or_joined_as_the_document_says() -> None:
    given = {"tags[]": "a, b", "fields": "id,name", "limit": 5}

    _, (request,) = do(shop(), "listCustomers", given, reply({"data": []}))

    assert request.path == "/customers?tags%5B%5D=a&tags%5B%5D=b&fields=id%2Cname&per_page=5"


def test_list_in_pages_is_read_page_by_page() -> None:
    pages = [reply({"data": [{"n": n} for n in range(50)]}), reply({"data": [{"n": 50}]})]

    told, requests = do(shop(), "listCustomers", {"limit": 60}, *pages)

    assert (told["count"], told["hasMore"]) == (51, False)
    assert [request.path for request in requests] == ["/customers?per_page=50", "/customers?per_page=50&page=2"]


def test_list_by_cursor_is_read_to_its_end() -> None:
    pages = [reply({"orders": [1], "meta": {"next_cursor": "c2"}}), reply({"orders": [2], "meta": {}})]

    told, requests = do(shop(), "listOrders", {"minTotal": 1.5}, *pages)

    assert told["items"] == [1, 2]
    assert requests[1].path == "/orders?minTotal=1.5&limit=99&cursor=c2"


@pytest.mark.parametrize(
    ("operation", "parameters", "sent"),
    [
        ("placeOrders", {"body": [{"a": 1}]}, [{"a": 1}]),
        ("placeOrders", {"body": '[{"a": 1}]'}, [{"a": 1}]),  # what a language model wrote
        ("patchCustomersByCustomerId", {"customerId": "7", "body": {"name": "B"}}, {"name": "B"}),
    ],
)
def test_body_that_has_no_fields_is_one_value(operation: str, parameters: dict[str, Any], sent: Any) -> None:
    _, (request,) = do(shop(), operation, parameters, reply({}))

    assert json.loads(request.body) == sent


def test_answer_that_is_text_is_asked_for_and_handed_on() -> None:
    text = Reply(headers={"Content-Type": "text/plain"}, body=b"Thank you")

    told, (request,) = do(shop(), "getReceipt", {"id": 7}, text)

    assert (told, request.headers["accept"], request.path) == ("Thank you", "text/plain", "/orders/7/receipt")


def test_answer_that_is_a_file_is_stored() -> None:
    """Where the author says."""
    lent = RecordingLent()
    pdf = Reply(headers={"Content-Type": "application/pdf; v=1"}, body=b"%PDF\0")

    told, _ = do(shop(), "getInvoice", {"id": 7, "saveAs": "in/7.pdf"}, pdf, lent=lent)

    assert told == {"path": "in/7.pdf", "name": "7.pdf", "size": 5, "contentType": "application/pdf"}
    assert lent.files.stored["in/7.pdf"][0] == b"%PDF\0"


@pytest.mark.parametrize("file", ["in/a.txt", {"path": "in/a.txt", "name": "a.txt"}])  # as other nodes hand it on
def test_body_of_parts_has_fields_and_files(file: Any) -> None:
    lent = RecordingLent()
    lent.files.write("in/a.txt", b"hello")
    given = {"file": file, "more": [file, "in/a.txt"], "note": "n", "notify": True}

    _, (request,) = do(shop(), "upload", given, reply({}), lent=lent)

    assert request.path == "/uploads?notify=true"
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.body.count(b'filename="a.txt"') == 3
    assert b'name="note"\r\n\r\nn\r\n' in request.body
    assert request.body.count(b'name="more"') == 2


def test_body_that_is_a_file_is_its_content() -> None:
    lent = RecordingLent()
    lent.files.write("in/logo.png", b"\x89PNG")

    _, (request,) = do(shop(), "putLogo", {"file": "in/logo.png"}, reply({}), lent=lent)

    assert (request.headers["content-type"], request.body) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    ("schemes", "auth"),
    [
        ({"a": {"type": "http", "scheme": "bearer"}}, Bearer()),
        ({"a": {"type": "http", "scheme": "Basic"}}, Basic()),
        ({"a": {"type": "apiKey", "in": "query", "name": "key"}}, Query(name="key")),
        ({"a": {"type": "oauth2", "flows": {}}}, Bearer()),
        ({"a": {"type": "mutualTLS"}}, Bearer()),
        ({}, Bearer()),
    ],
)
def test_credential_is_sent_as_the_document_says(schemes: Any, auth: Any) -> None:
    document = with_changes(security=[], components={**SHOP["components"], "securitySchemes": schemes})

    assert describe(document).auth == auth


RESPONSES = {"200": {"content": {"application/json": {"schema": {"type": "array"}}}}}


@pytest.mark.parametrize(
    ("names", "headers", "paging"),
    [
        (["page", "limit"], {}, PagePaging(sent_as="page", size="limit")),
        (["page", "limit"], {"Link": {}}, LinkPaging(carries=("page",), size="limit")),
        (["offset", "limit"], {}, OffsetPaging(sent_as="offset", size="limit")),
        (["cursor", "limit"], {}, None),  # nothing says where the next one stands
        (["page"], {}, None),  # nor how many a page has
        ([], {}, None),
    ],
)
def test_list_goes_on_as_far_as_the_document_lets_it_be_seen(names: list[str], headers: Any, paging: Any) -> None:
    parameters = [{"name": name, "in": "query", "schema": {"type": "integer"}} for name in names]
    responses = {"200": {**RESPONSES["200"], "headers": headers}}

    (operation,) = of({"parameters": parameters, "responses": responses}).operations

    assert operation.paging == paging
    assert [each.name for each in operation.parameters] == ([] if paging else names)


def test_service_that_takes_forms_is_sent_forms() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body = {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    document = with_changes(paths={"/things": {"post": {"operationId": "add", "requestBody": body, "responses": {}}}})

    _, (request,) = do(build(describe(document)), "add", {"a": "1 2"}, reply({}))

    assert (request.headers["content-type"], request.body) == ("application/x-www-form-urlencoded", b"a=1+2")


def test_cursor_is_known_by_name() -> None:
    """The field of the answer that a list goes on with."""
    (orders,) = [each for each in describe(SHOP).operations if each.name == "listOrders"]

    assert orders.paging == CursorPaging(items="orders", cursor="meta.next_cursor", sent_as="cursor", size="limit")


# ---- Documents that are hostile, or none


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "no OpenAPI 3"),
        ({"swagger": "2.0"}, "no OpenAPI 3"),
        ({**SHOP, "servers": []}, "no server"),
        ({**SHOP, "servers": [{"url": "/v2"}]}, "no server"),
        ({**SHOP, "servers": [{"url": "file:///etc/passwd"}]}, "no server"),
        ({**SHOP, "paths": {"/a": {"$ref": "https://elsewhere.test/a.json"}}}, "leads out"),
        ({**SHOP, "paths": {"/a": {"$ref": "#/nowhere"}}}, "leads nowhere"),
        ({**SHOP, "paths": {"/a": {"$ref": "#/paths/~1a"}}}, "in a circle"),
    ],
)
def test_document_that_cannot_be_read_is_refused(document: Any, told: str) -> None:
    """And nothing that it names is fetched."""
    with pytest.raises(BadDocument, match=told):
        describe(document)


def test_document_of_schemas_that_contain_themselves_comes_to_an_end() -> None:
    schemas = {
        "A": {
            "allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"a": {"type": "string"}}}]
        }
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    document = with_changes(
        components={"schemas": schemas}, paths={"/a": {"post": {"requestBody": body, "responses": {}}}}
    )

    (operation,) = describe(document).operations

    assert [each.name for each in operation.parameters] == ["a"]


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"name": "sid", "in": "cookie", "required": True, "schema": {}}]},
        {"parameters": [{"name": "f", "in": "query", "required": True, "schema": {"type": "object"}}]},
        {"requestBody": {"content": {"application/json": {}}}},  # of a GET
    ],
)
def test_operation_that_cannot_be_carried_over_is_left_out(operation: dict[str, Any]) -> None:
    service = of(operation)

    assert (service.operations, len(service.left_out)) == ((), 1)


def test_operation_whose_path_has_an_unknown_parameter_is_left_out() -> None:
    assert of({}, path="/things/{id}").operations == ()


def test_operations_of_one_name_are_told_apart() -> None:
    document = with_changes(
        paths={f"/{path}": {"get": {"operationId": "get Thing", "responses": {}}} for path in ("a", "b", "c")}
    )

    assert [each.name for each in describe(document).operations] == ["getThing", "getB", "getC"]


# ---- The module


def written(document: dict[str, Any], folder: Path) -> Provider:
    """The provider of the module that is written."""
    module = folder / "written.py"
    module.write_text(write(describe(document)), encoding="utf-8")
    (provider,) = [value for value in runpy.run_path(str(module)).values() if isinstance(value, Provider)]
    return provider


def test_module_that_is_written_is_the_provider_that_is_built(tmp_path: Path) -> None:
    provider = written(SHOP, tmp_path)

    assert (provider.to_json(), provider.auth) == (shop().to_json(), shop().auth)


def test_module_that_is_written_does_the_same(tmp_path: Path) -> None:
    given = {"name": "Ada", "email": "e", "bodyNotify": ["mail"], "notify": False, "class": "x"}

    asked = [do(provider, "createCustomer", given, reply({}))[1][0] for provider in (shop(), written(SHOP, tmp_path))]

    assert (asked[0].path, asked[0].body) == (asked[1].path, asked[1].body)


ATTACK = "\"\"\"'''\\\nraise SystemExit(1)\n#"


def test_module_of_a_document_with_code_in_it_has_it_as_text(tmp_path: Path) -> None:
    """Code injection: whoever writes the document must not write the module."""
    document = json.loads(json.dumps(SHOP).replace("List customers.", json.dumps(ATTACK)[1:-1]))
    document["info"]["title"] = ATTACK
    document["servers"] = [{"url": "https://a.example/x'\"+__import__('os').abort()+'"}]
    parameters = document["paths"]["/customers"]["get"]["parameters"]
    parameters.append({"name": ATTACK, "in": "query", "description": ATTACK, "schema": {"enum": [ATTACK]}})
    document["paths"]["/customers"]["get"]["operationId"] = "a(): raise SystemExit(1)\nclass B"
    document["components"]["securitySchemes"]["apiKey"]["name"] = "X-Key'), raise_()"

    assert written(document, tmp_path).to_json() == build(describe(document)).to_json()
