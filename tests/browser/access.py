"""What axe-core finds wrong with a page for people who do not see it, or do not use a mouse."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page


def faults(page: Page) -> list[str]:
    """One line for each element that breaks a rule; the reasons are axe's own words."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    result: dict[str, Any] = axe.Axe().run(page).response
    return [
        f"{violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
