"""A provider from the description that a service gives of itself: an OpenAPI 3.x document.

    service = describe(document, name="shop")  # what can be carried over; service.left_out says what cannot
    build(service)                             # the Provider
    write(service)                             # the same as the source of a module, to keep and to refine

Pure: the document is read, nothing it names is fetched.
"""

from handlers.integrations.openapi.bases import FileBody, Part, PartsBody, ToFile, WholeBody
from handlers.integrations.openapi.building import build
from handlers.integrations.openapi.describing import describe
from handlers.integrations.openapi.document import BadDocument
from handlers.integrations.openapi.service import Described, Parameter, Service
from handlers.integrations.openapi.writing import write

__all__ = [
    "BadDocument",
    "Described",
    "FileBody",
    "Parameter",
    "Part",
    "PartsBody",
    "Service",
    "ToFile",
    "WholeBody",
    "build",
    "describe",
    "write",
]
