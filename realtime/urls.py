"""Addresses from the root: the API's events and tickets, and the pages for people."""

from django.urls import path

from realtime import compare_page, pages, runs_page, views

urlpatterns = [
    path("api/v1/executions/<str:pk>/events", views.events, name="execution-events"),
    path("api/v1/executions/<str:pk>/ticket", views.ticket, name="execution-ticket"),
    path("runs/", runs_page.runs, name="runs"),
    path("runs/compare", compare_page.compared, name="runs-compare"),
    path("executions/<uuid:pk>/live", pages.live, name="execution-live"),
]
