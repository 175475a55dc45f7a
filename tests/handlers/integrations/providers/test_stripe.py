from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.fakes import attempt
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

CUSTOMER = {"id": "cus_1", "object": "customer", "email": "ada@example.com"}


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "body"),
    [
        (
            "createCustomer",
            {"email": "ada@example.com", "metadata": {"plan": "pro", "seats": 3}},
            "POST /customers",
            {"email": "ada@example.com", "metadata[plan]": "pro", "metadata[seats]": "3"},
        ),
        ("updateCustomer", {"customerId": "cus_1", "name": "Ada"}, "POST /customers/cus_1", {"name": "Ada"}),
        (
            "createPaymentIntent",
            {"amount": 500, "currency": "eur", "customer": "cus_1", "confirm": True},
            "POST /payment_intents",
            {"amount": "500", "currency": "eur", "customer": "cus_1", "confirm": "true"},
        ),
        (
            "createRefund",
            {"chargeId": "ch_1", "amount": 100, "reason": "duplicate"},
            "POST /refunds",
            {"charge": "ch_1", "amount": "100", "reason": "duplicate"},
        ),
        (
            "createInvoiceItem",
            {"customer": "cus_1", "amount": -100, "currency": "eur", "invoiceId": "in_1"},
            "POST /invoiceitems",
            {"customer": "cus_1", "amount": "-100", "currency": "eur", "invoice": "in_1"},
        ),
        (
            "createInvoice",
            {"customer": "cus_1", "collectionMethod": "send_invoice", "daysUntilDue": 14},
            "POST /invoices",
            {"customer": "cus_1", "collection_method": "send_invoice", "days_until_due": "14"},
        ),
        ("finalizeInvoice", {"invoiceId": "in_1"}, "POST /invoices/in_1/finalize", None),
        ("sendInvoice", {"id": "in_1"}, "POST /invoices/in_1/send", None),
        (
            "createSubscription",
            {"customer": "cus_1", "items": [{"price": "price_1", "quantity": 2}]},
            "POST /subscriptions",
            {"customer": "cus_1", "items[0][price]": "price_1", "items[0][quantity]": "2"},
        ),
    ],
)
def test_stripe_operation_sends_a_form_with_the_key_of_its_node(
    operation: str, parameters: dict[str, Any], route: str, body: Any
) -> None:
    """What is paid once is paid once, however often its node is tried."""
    data, (request,) = ask("stripe", operation, parameters, reply(CUSTOMER))

    assert asked(request) == (route, {}, body)
    assert request.headers["idempotency-key"] == attempt("trigger", {}).idempotency_key
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data == CUSTOMER


@pytest.mark.parametrize(
    ("operation", "parameters", "route"),
    [
        ("getCustomer", {"customer": "cus_1"}, "GET /customers/cus_1"),
        ("getSubscription", {"subscriptionId": "sub_1"}, "GET /subscriptions/sub_1"),
        ("cancelSubscription", {"id": "sub_1"}, "DELETE /subscriptions/sub_1"),
    ],
)
def test_stripe_operation_that_is_as_good_twice_has_no_key(
    operation: str, parameters: dict[str, Any], route: str
) -> None:
    """Stripe takes none with these."""
    _, (request,) = ask("stripe", operation, parameters, reply(CUSTOMER))

    assert asked(request) == (route, {}, None)
    assert "idempotency-key" not in request.headers


def test_stripe_list_goes_on_after_the_last_item() -> None:
    first = reply({"object": "list", "data": [{"id": "ch_3"}, {"id": "ch_2"}], "has_more": True})
    second = reply({"object": "list", "data": [{"id": "ch_1"}], "has_more": False})

    data, requests = ask(
        "stripe", "listCharges", {"customerId": "cus_1", "createdAfter": 1700000000, "limit": 3}, first, second
    )

    query = {"customer": "cus_1", "created[gte]": "1700000000"}
    assert [asked(request)[:2] for request in requests] == [
        ("GET /charges", query | {"limit": "3"}),
        ("GET /charges", query | {"limit": "1", "starting_after": "ch_2"}),
    ]
    assert [item["id"] for item in data["items"]] == ["ch_3", "ch_2", "ch_1"]


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query"),
    [
        ("listCustomers", {"email": "a@example.com"}, "GET /customers", {"email": "a@example.com"}),
        ("listRefunds", {"charge": "ch_1"}, "GET /refunds", {"charge": "ch_1"}),
        ("listBalanceTransactions", {"type": "charge"}, "GET /balance_transactions", {"type": "charge"}),
        ("listPromotionCodes", {"active": True}, "GET /promotion_codes", {"active": "true"}),
    ],
)
def test_stripe_lists(operation: str, parameters: dict[str, Any], route: str, query: dict[str, str]) -> None:
    data, (request,) = ask("stripe", operation, parameters, reply({"data": [{"id": "x"}], "has_more": False}))

    assert asked(request)[:2] == (route, query | {"limit": "100"})
    assert data["items"] == [{"id": "x"}]


@pytest.mark.parametrize("given", [{}, {"charge": "ch_1", "paymentIntent": "pi_1"}])
def test_stripe_refund_is_of_one_payment(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="either charge or paymentIntent"):
        ask("stripe", "createRefund", given, reply({}))


@pytest.mark.parametrize(
    ("status", "error", "kind", "code", "retryable"),
    [
        (402, {"type": "card_error", "code": "card_declined"}, ProviderError, "rejected", False),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}, ProviderError, "not_found", False),
        (401, {"type": "invalid_request_error"}, ConfigError, "credential_refused", False),
        (409, {"code": "idempotency_key_in_use"}, ProviderError, "provider_error", True),
        (429, {"type": "invalid_request_error", "code": "rate_limit"}, RateLimited, "rate_limited", True),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}, RateLimited, "rate_limited", True),
        (500, {"type": "api_error"}, ProviderError, "provider_error", True),
    ],
)
def test_stripe_error_is_told_in_its_words(
    status: int, error: dict[str, str], kind: type, code: str, retryable: bool
) -> None:
    """An attempt whose key is still in use is one that is being answered."""
    refusal = reply({"error": error | {"message": "So it is."}}, status=status)

    with pytest.raises(kind, match="So it is") as failure:
        ask("stripe", "createRefund", {"charge": "ch_1"}, refusal)

    assert (failure.value.code, failure.value.retryable) == (code, retryable)
