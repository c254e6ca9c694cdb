"""What browsers get: over HTTP, from a real Postgres, Redis and blob folder."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from chassis.clock import new_id
from chassis.context import Context, sign
from chassis.stores.postgres import Database
from chassis.stores.redis import open_redis
from contracts.delivery.environment import Environment
from contracts.delivery.live import GetManifest, Manifest
from contracts.delivery.release import ReleasePublished, SetAppVisibility, Visibility
from services.delivery.store.manifests import Manifests
from services.delivery.views.files import router
from services.delivery.views.releases import get_manifest
from tests.services.delivery.fakes import PAGES, SECRETS, a_roll_back, an_abandon, an_unpublish
from tests.services.delivery.shop import CONTEXT_KEY, Shop, a_shop
from tests.services.participant import fresh_database

FAR = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass
class Site:
    """A shop with its HTTP door."""

    shop: Shop
    http: httpx.AsyncClient

    def signed(self, permission: str, workspace_id: UUID | None = None) -> dict[str, str]:
        context = Context(None, workspace_id, permission, FAR)
        return {"basalt-context": sign(context, CONTEXT_KEY.encode())}

    @property
    def member(self) -> dict[str, str]:
        return self.signed("workspace.read", self.shop.workspace_id)

    @property
    def stranger(self) -> dict[str, str]:
        return self.signed("public")

    def live(self, environment: str = "production") -> str:
        return f"/live/{self.shop.workspace_id}/{self.shop.app_id}/{environment}/manifest.json"

    def file(self, release_id: UUID, path: str = "index.json") -> str:
        return f"/files/{self.shop.workspace_id}/{self.shop.app_id}/{release_id}/{path}"

    async def manifest(self) -> Manifest:
        answer = await self.http.get(self.live(), headers=self.member)
        return Manifest.model_validate_json(answer.content)

    async def open_to_everybody(self) -> None:
        await self.shop.delivery.send(
            SetAppVisibility(
                workspace_id=self.shop.workspace_id,
                app_id=self.shop.app_id,
                visibility=Visibility.PUBLIC,
            )
        )


@pytest.fixture
async def site(postgres_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    database = await Database.open(await fresh_database(postgres_url, "delivery"), pool_max=4)
    redis = open_redis(redis_url)
    shop = a_shop(database, tmp_path, redis)
    app = FastAPI()
    app.include_router(router(shop.delivery.resources))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://delivery") as http:
        yield Site(shop, http)
    await redis.aclose()
    await database.close()


class TestManifest:
    async def test_leads_to_every_public_file_and_to_no_other(self, site: Site) -> None:
        live = await site.shop.published()

        manifest = await site.manifest()

        assert (manifest.release_id, manifest.entry) == (live.release_id, "index.json")
        for file in manifest.files:
            answer = await site.http.get(file.url, headers=site.member)
            assert sha256(answer.content).hexdigest() == file.digest
        assert {file.path for file in manifest.files} == set(PAGES)

    async def test_is_asked_for_anew_each_time_and_sent_when_it_changed(self, site: Site) -> None:
        await site.shop.published()
        first = await site.http.get(site.live(), headers=site.member)
        known = {"if-none-match": first.headers["etag"]}

        again = await site.http.get(site.live(), headers={**site.member, **known})

        assert first.headers["cache-control"] == "private, no-cache"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_follows_the_pointer_at_once(self, site: Site) -> None:
        first = await site.shop.published()
        seen = [(await site.manifest()).release_id]
        second = await site.shop.published(previous=first.release_id)
        seen.append((await site.manifest()).release_id)
        await site.shop.delivery.send(a_roll_back(first, second))
        seen.append((await site.manifest()).release_id)
        await site.shop.delivery.send(an_unpublish(first))
        gone = await site.http.get(site.live(), headers=site.member)

        assert seen == [first.release_id, second.release_id, first.release_id]
        assert gone.status_code == 404

    async def test_is_the_same_after_the_cache_was_flushed(self, site: Site) -> None:
        await site.shop.published()
        before = await site.http.get(site.live(), headers=site.member)
        await site.shop.delivery.resources.redis.flushall()

        after = await site.http.get(site.live(), headers=site.member)

        assert (after.content, after.headers["etag"]) == (before.content, before.headers["etag"])

    async def test_comes_without_a_cache_too(self, site: Site) -> None:
        live = await site.shop.published()
        resources = site.shop.delivery.resources
        resources.opened["redis"] = open_redis("redis://127.0.0.1:1", timeout=0.1)
        ask = GetManifest(
            workspace_id=site.shop.workspace_id,
            app_id=site.shop.app_id,
            environment=Environment.PRODUCTION,
        )

        manifest = await get_manifest(ask, Manifests(resources))

        assert manifest.release_id == live.release_id

    async def test_is_kept_in_the_cache_under_its_workspace(self, site: Site) -> None:
        await site.shop.published()
        await site.manifest()

        names = await site.shop.delivery.resources.redis.keys(f"*{site.shop.app_id}*")

        assert len(names) == 1
        assert str(site.shop.workspace_id).encode() in names[0]


class TestFile:
    async def test_never_changes_and_says_so(self, site: Site) -> None:
        live = await site.shop.published()

        answer = await site.http.get(site.file(live.release_id), headers=site.member)

        assert answer.content == PAGES["index.json"]
        digest = sha256(PAGES["index.json"]).hexdigest()
        assert answer.headers["etag"] == f'"{digest}"'
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"

    async def test_head_has_the_headers_of_get_without_the_body(self, site: Site) -> None:
        live = await site.shop.published()
        url = site.file(live.release_id)

        head = await site.http.head(url, headers=site.member)
        got = await site.http.get(url, headers=site.member)

        assert head.content == b""
        assert dict(head.headers) == dict(got.headers)

    @pytest.mark.parametrize("form", ['"{0}"', 'W/"{0}"', '"other", "{0}"', "*"])
    async def test_what_the_browser_has_is_not_sent_again(self, site: Site, form: str) -> None:
        live = await site.shop.published()
        known = form.format(sha256(PAGES["index.json"]).hexdigest())

        answer = await site.http.get(
            site.file(live.release_id), headers={**site.member, "if-none-match": known}
        )

        assert (answer.status_code, answer.content) == (304, b"")

    async def test_odd_names_and_empty_files_arrive(self, site: Site) -> None:
        odd = {"pages/é 👩‍🚀 %2F?#:.json": b"odd", "empty": b""}
        await site.shop.published(public=odd)

        for file in (await site.manifest()).files:
            answer = await site.http.get(file.url, headers=site.member)
            assert answer.content == odd[file.path]

    @pytest.mark.parametrize("path", [*SECRETS, "nothing", "%2e%2e/index.json", "a%00b", "é"])
    async def test_what_is_private_or_not_there_is_not_found(self, site: Site, path: str) -> None:
        live = await site.shop.published()

        answer = await site.http.get(site.file(live.release_id, path), headers=site.member)

        assert (answer.status_code, answer.content) == (404, b"")

    async def test_no_digest_of_the_private_part_is_told(self, site: Site) -> None:
        await site.shop.published()

        body = (await site.http.get(site.live(), headers=site.member)).text

        for secret in SECRETS.values():
            assert sha256(secret).hexdigest() not in body
            assert secret.decode() not in body

    async def test_an_old_release_is_served_to_those_who_still_run_it(self, site: Site) -> None:
        first = await site.shop.published()
        await site.shop.published(previous=first.release_id, public={"index.json": b"new"})

        answer = await site.http.get(site.file(first.release_id), headers=site.member)

        assert answer.content == PAGES["index.json"]

    async def test_an_abandoned_release_is_not(self, site: Site) -> None:
        staged = await site.shop.staged()
        await site.shop.delivery.send(an_abandon(staged))

        answer = await site.http.get(site.file(staged.release_id), headers=site.member)

        assert answer.status_code == 404

    async def test_altered_bytes_are_never_sent(self, site: Site) -> None:
        live = await site.shop.published()
        folder = site.shop.delivery.resources.blobs._folder  # type: ignore[attr-defined]
        for blob in (folder / str(site.shop.workspace_id)).iterdir():
            blob.write_bytes(b"?" * blob.stat().st_size)

        answer = await site.http.get(site.file(live.release_id), headers=site.member)

        assert answer.status_code == 500
        assert b"?" not in answer.content

    async def test_an_address_that_no_file_can_have_is_not_found(self, site: Site) -> None:
        await site.shop.published()

        for path in ("/files/x/y/z/index.json", site.live("moon"), "/live/a/b/production/m"):
            assert (await site.http.get(path, headers=site.member)).status_code == 404


class TestWhoMayFetch:
    async def answers(self, site: Site, live: ReleasePublished, who: dict[str, str]) -> list[int]:
        environment = live.environment.value
        urls = (site.live(environment), site.file(live.release_id))
        return [(await site.http.get(url, headers=who)).status_code for url in urls]

    async def test_members_only_by_default(self, site: Site) -> None:
        live = await site.shop.published()
        elsewhere = site.signed("workspace.read", new_id())

        assert await self.answers(site, live, site.member) == [200, 200]
        assert await self.answers(site, live, site.stranger) == [404, 404]
        assert await self.answers(site, live, elsewhere) == [404, 404]

    async def test_everybody_once_it_is_public(self, site: Site) -> None:
        live = await site.shop.published()
        await site.open_to_everybody()

        answer = await site.http.get(site.file(live.release_id), headers=site.stranger)

        assert await self.answers(site, live, site.stranger) == [200, 200]
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"

    async def test_staging_and_what_waits_stay_with_members(self, site: Site) -> None:
        staging = await site.shop.published(environment=Environment.STAGING)
        live = await site.shop.published()
        waiting = await site.shop.staged()
        await site.open_to_everybody()

        hidden = await site.http.get(site.file(waiting.release_id), headers=site.stranger)

        assert await self.answers(site, staging, site.stranger) == [404, 404]
        assert await self.answers(site, live, site.stranger) == [200, 200]
        assert hidden.status_code == 404

    async def test_nobody_from_outside_once_it_is_unpublished(self, site: Site) -> None:
        live = await site.shop.published()
        await site.open_to_everybody()
        await site.shop.delivery.send(an_unpublish(live))

        assert await self.answers(site, live, site.stranger) == [404, 404]

    async def test_nobody_without_the_gateways_word(self, site: Site) -> None:
        live = await site.shop.published()
        forged = sign(Context(None, site.shop.workspace_id, "workspace.read", FAR), b"x" * 16)

        statuses = [
            (await site.http.get(site.file(live.release_id), headers=headers)).status_code
            for headers in ({}, {"basalt-context": forged}, {"basalt-context": "A.B"})
        ]

        assert statuses == [401, 403, 403]
