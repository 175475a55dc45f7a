from __future__ import annotations

import sys
from pathlib import Path

import pytest

from handlers.integrations import ENTRY_POINT_GROUP, Bearer, Parameters, Provider
from handlers.integrations.directory import DuplicateProvider, collected, directory
from handlers.integrations.provider import DuplicateOperation
from tests.handlers.integrations.toys import shop


def provider(name: str, *aliases: str) -> Provider:
    return Provider(name, title=name, base_url="https://x.example", auth=Bearer(), aliases=aliases)


def test_directory_lists_what_comes_along() -> None:
    """A provider that is lost with its module would be missed by no other test."""
    assert list(directory()) == [
        "airtable",
        "discord",
        "github",
        "gmail",
        "google-drive",
        "google-sheets",
        "hubspot",
        "notion",
        "slack",
        "stripe",
    ]


@pytest.mark.parametrize("written", ["google-things", "googleThings", "Google Things", "GOOGLE_THINGS", "gthings"])
def test_provider_is_found_however_its_words_are_joined(written: str) -> None:
    """Existing workflows have each of these spellings."""
    made = collected([provider("google-things", "gThings")])

    assert made[written].name == "google-things"
    assert written in made
    assert "google" not in made


@pytest.mark.parametrize("names", ["acme_shop", "acme_shop:acme"])  # a module, or what is in it
def test_provider_of_another_package_is_found_by_its_entry_point(
    names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside those that come along."""
    (tmp_path / "acme_shop.py").write_text(
        "from handlers.integrations import Bearer, Provider\n"
        "acme = Provider('acme', title='Acme', base_url='https://x.example', auth=Bearer())\n"
    )
    told = tmp_path / "acme_shop-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-shop\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\nacme = {names}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_shop", raising=False)

    found = directory.__wrapped__()

    assert set(found) - set(directory()) == {"acme"}


@pytest.mark.parametrize("second", [provider("shop"), provider("other", "S-H-O-P")])
def test_two_providers_of_one_name_stop_the_process(second: Provider) -> None:
    """Which of them runs must not depend on who was imported first."""
    with pytest.raises(DuplicateProvider, match="shop"):
        collected([provider("shop"), second])


@pytest.mark.parametrize("name", ["put", "PUT", "p_u_t"])
def test_two_operations_of_one_name_are_refused(name: str) -> None:
    with pytest.raises(DuplicateOperation, match="put"):
        shop().operation(name, "POST /x")(Parameters)


@pytest.mark.parametrize(("written", "found"), [("put", "put"), ("PUT", "put"), ("pat", None)])
def test_operation_is_found_however_its_words_are_joined(written: str, found: str | None) -> None:
    operation = shop().find(written)

    assert (operation and operation.name) == found
