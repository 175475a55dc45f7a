"""Stripe: customers, payments, invoices, subscriptions. The credential is a secret or restricted key."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field, model_validator

from handlers.base import JSONObject
from handlers.integrations import FORM, Bearer, LastItemPaging, Listing, Mapped, Meaning, Parameters, Provider
from handlers.integrations.parameters import Listed, Unsent
from handlers.values import Text

stripe = Provider(
    "stripe",
    title="Stripe",
    doc=__doc__ or "",
    base_url="https://api.stripe.com/v1",
    auth=Bearer(),
    encoding=FORM,
    idempotency_header="Idempotency-Key",
    told_at=("error.message",),
    codes_at=("error.code", "error.type"),
    # Source: Stripe API, Errors.
    meanings={
        "resource_missing": Meaning.MISSING,
        **dict.fromkeys(("rate_limit", "lock_timeout"), Meaning.RATE),
        **dict.fromkeys(("idempotency_key_in_use", "api_error"), Meaning.LATER),
    },
    at_once=20,
)
PAGES = LastItemPaging(items="data", sent_as="starting_after", size="limit", more="has_more")
CURRENCY = "Three letters: eur, usd, …"
AMOUNT = "In the smallest unit: cents."
METADATA = Field(None, description="Names and texts of your own.")


class Dated(Listing):
    """What a list of things that were made at some time may be narrowed by."""

    created_after: Annotated[int | None, Unsent] = Field(None, description="Seconds since 1970.")
    created_before: Annotated[int | None, Unsent] = Field(None, description="Seconds since 1970.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        bounds = {"created[gte]": self.created_after, "created[lt]": self.created_before}
        return drawn | {name: bound for name, bound in bounds.items() if bound is not None}


class OfCustomer(Parameters):
    customer: str = Field(validation_alias=AliasChoices("customer", "customerId"), description="cus_…")


class Person(Parameters):
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: Text | None = None
    metadata: Mapped | None = METADATA


@stripe.operation("createCustomer", "POST /customers")
class CreateCustomer(Person):
    """Make a customer."""


@stripe.operation("updateCustomer", "POST /customers/{customer}")
class UpdateCustomer(OfCustomer, Person):
    """Change a customer."""


@stripe.operation("getCustomer", "GET /customers/{customer}", aliases=("retrieveCustomer",))
class GetCustomer(OfCustomer):
    """One customer."""


@stripe.operation("listCustomers", "GET /customers", paging=PAGES)
class ListCustomers(Dated):
    """Customers, the newest first."""

    email: str | None = Field(None, description="Exactly as it was given.")


@stripe.operation("createPaymentIntent", "POST /payment_intents", aliases=("createPayment",))
class CreatePaymentIntent(Parameters):
    """Ask for a payment."""

    amount: int = Field(gt=0, description=AMOUNT)
    currency: str = Field(min_length=3, max_length=3, description=CURRENCY)
    customer: str | None = Field(None, validation_alias=AliasChoices("customer", "customerId"), description="cus_…")
    payment_method: str | None = Field(None, description="pm_…")
    confirm: bool | None = Field(None, description="Whether the payment is made at once.")
    off_session: bool | None = Field(None, description="Whether the customer is not there to say yes.")
    receipt_email: str | None = None
    description: Text | None = None
    metadata: Mapped | None = METADATA


@stripe.operation("createRefund", "POST /refunds", aliases=("refund",))
class CreateRefund(Parameters):
    """Pay back a payment, or a part of it."""

    charge: str | None = Field(None, validation_alias=AliasChoices("charge", "chargeId"), description="ch_…")
    payment_intent: str | None = Field(
        None, validation_alias=AliasChoices("paymentIntent", "paymentIntentId"), description="pi_…"
    )
    amount: int | None = Field(None, gt=0, description=f"{AMOUNT} All of it if not said.")
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    metadata: Mapped | None = METADATA

    @model_validator(mode="after")
    def _names_a_payment(self) -> CreateRefund:
        if (self.charge is None) is (self.payment_intent is None):
            raise ValueError("Say either charge or paymentIntent.")
        return self


@stripe.operation("listRefunds", "GET /refunds", paging=PAGES)
class ListRefunds(Dated):
    """Refunds, the newest first."""

    charge: str | None = Field(None, description="ch_…")
    payment_intent: str | None = Field(None, description="pi_…")


@stripe.operation("listCharges", "GET /charges", paging=PAGES, aliases=("getCharges",))
class ListCharges(Dated):
    """Charges, the newest first."""

    customer: str | None = Field(None, validation_alias=AliasChoices("customer", "customerId"), description="cus_…")


@stripe.operation("createInvoiceItem", "POST /invoiceitems")
class CreateInvoiceItem(OfCustomer):
    """Put something on the customer's next invoice, or on one that is a draft."""

    amount: int = Field(description=AMOUNT)
    currency: str = Field(min_length=3, max_length=3, description=CURRENCY)
    description: Text | None = None
    invoice: str | None = Field(None, validation_alias=AliasChoices("invoice", "invoiceId"), description="in_…")


@stripe.operation("createInvoice", "POST /invoices")
class CreateInvoice(OfCustomer):
    """Make an invoice, a draft, of what is to be paid."""

    collection_method: Literal["charge_automatically", "send_invoice"] | None = None
    days_until_due: int | None = Field(None, ge=0, description="For send_invoice.")
    auto_advance: bool | None = Field(None, description="Whether Stripe goes on with it by itself.")
    pending_invoice_items_behavior: Literal["include", "exclude"] | None = None
    description: Text | None = None
    metadata: Mapped | None = METADATA


class OneInvoice(Parameters):
    invoice: str = Field(validation_alias=AliasChoices("invoice", "invoiceId", "id"), description="in_…")


@stripe.operation("finalizeInvoice", "POST /invoices/{invoice}/finalize")
class FinalizeInvoice(OneInvoice):
    """Make a draft an invoice that can be paid."""


@stripe.operation("sendInvoice", "POST /invoices/{invoice}/send")
class SendInvoice(OneInvoice):
    """Mail an invoice to its customer."""


@stripe.operation("createSubscription", "POST /subscriptions")
class CreateSubscription(OfCustomer):
    """Subscribe a customer to prices."""

    items: Listed = Field(description='[{"price": "price_…", "quantity": 1}]')
    trial_period_days: int | None = Field(None, ge=0)
    metadata: Mapped | None = METADATA


class OneSubscription(Parameters):
    subscription: str = Field(
        validation_alias=AliasChoices("subscription", "subscriptionId", "id"), description="sub_…"
    )


@stripe.operation("getSubscription", "GET /subscriptions/{subscription}", aliases=("retrieveSubscription",))
class GetSubscription(OneSubscription):
    """One subscription."""


@stripe.operation("cancelSubscription", "DELETE /subscriptions/{subscription}")
class CancelSubscription(OneSubscription):
    """End a subscription at once."""


@stripe.operation("listBalanceTransactions", "GET /balance_transactions", paging=PAGES)
class ListBalanceTransactions(Dated):
    """What came in and went out, the newest first."""

    type: str | None = Field(None, description="charge, refund, payout, …")


@stripe.operation("listPromotionCodes", "GET /promotion_codes", paging=PAGES)
class ListPromotionCodes(Dated):
    """Codes that give a discount."""

    code: str | None = None
    active: bool | None = None
