"""Readers and makers of documents: bytes and options in, JSON and bytes out. Pure, and without any trust.

Whoever sends a document may have built it to take a reader down: kilobytes that unpack to gigabytes, entities of
entities, objects that contain themselves. So these functions run in a process of their own, which the kernel holds to
its bounds (`handlers.processes.compute`, by way of `handlers.extraction` and others); what they check themselves, they
check to say what it was. This module imports nothing: what such a process imports, every document waits for.
"""
