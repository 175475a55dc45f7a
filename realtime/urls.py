"""Addresses from the root: the API's events and tickets, and the live page."""

from django.urls import path

from realtime import pages, views

urlpatterns = [
    path("api/v1/executions/<str:pk>/events", views.events, name="execution-events"),
    path("api/v1/executions/<str:pk>/ticket", views.ticket, name="execution-ticket"),
    path("executions/<uuid:pk>/live", pages.live, name="execution-live"),
]
