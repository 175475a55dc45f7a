"""Addresses from the root, for people without a key."""

from django.urls import path

from executions.waitpoints import pages

urlpatterns = [path("p/<str:signed>", pages.page, name="waitpoint-public")]
