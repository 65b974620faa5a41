"""What the settings make of the table: feeds to poll and a client for each provider."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from services.ingest import fetching, policies
from services.ingest.fetching import Client, Credentials
from services.ingest.handlers import Gate
from services.ingest.policies import Access, Policy, Provider
from services.ingest.polling import Feed, Poller
from services.ingest.settings import IngestSettings

USER_AGENT = "SpaceCom (re-entry hazard for airspace)"


def feeds(settings: IngestSettings) -> dict[str, Feed]:
    return {policy.name: _feed(policy, settings) for policy in policies.enabled(settings.ingest_sources)}


def _feed(policy: Policy, settings: IngestSettings) -> Feed:
    if not policy.dataset:
        return Feed(policy)
    stated = settings.ingest_datasets[policy.name]
    return Feed(policy, stated.url.get_secret_value(), stated.dataset)


@asynccontextmanager
async def poller(gate: Gate, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> AsyncIterator[Poller]:
    found = feeds(gate.settings)
    providers = {feed.policy.provider.name: feed.policy.provider for feed in found.values()}
    async with AsyncExitStack() as stack:
        clients = {}
        for name, provider in providers.items():
            http = await stack.enter_async_context(fetching.new_http(gate.settings.ingest_proxy, USER_AGENT))
            replaced = gate.settings.ingest_base_urls.get(name, provider.base_url)
            base_url = replaced.rstrip("/") if provider.base_url else ""  # a dataset has a whole address
            clients[name] = Client(provider, base_url, _credentials(provider, gate.settings), clock, http)
        yield Poller(gate, found, clients, clock, histories=gate.settings.ingest_history_objects)


async def keep_polling(gate: Gate) -> None:
    async with poller(gate) as found:
        await found.keep_polling()


def _credentials(provider: Provider, settings: IngestSettings) -> Credentials:
    match provider.access:
        case Access.SESSION:
            return Credentials(settings.ingest_space_track_user, settings.ingest_space_track_password)
        case Access.BEARER:
            return Credentials(token=settings.ingest_discos_token)
        case Access.OPEN:
            return Credentials()
