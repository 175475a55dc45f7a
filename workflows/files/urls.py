from django.urls import path

from workflows.files.views import ContentViewSet, FileViewSet, LinkedViewSet, LinkViewSet

urlpatterns = [
    path("files", FileViewSet.as_view({"get": "list", "post": "upload"}), name="file-list"),
    path("files/links", LinkViewSet.as_view({"post": "links"}), name="file-links"),
    path(
        "files/content/<path:path>",
        ContentViewSet.as_view({"get": "download", "put": "store", "delete": "remove"}),
        name="file-content",
    ),
]

# From the root, for people without a key.
public = [path("f/<str:signed>", LinkedViewSet.as_view({"get": "download", "put": "store"}), name="file-link")]
