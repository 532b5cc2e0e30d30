"""Keeping flags fresh from any store: sources, how often they are asked, and how things stand.

>>> from esclusa import Flags
>>> from esclusa.sync import Bundled, Environment, Layers
>>> flags = Flags.from_source(Layers(Environment(), Bundled('[{"name": "crm", "enabled": true}]')))
>>> flags.is_enabled("crm")
True
>>> flags.status().source
'environment over bundled'

A source is one of those below, any function that returns a snapshot, or any object with `name` and `fetch`, as `Source`
says. When it is asked, how asking is retried and what an answer means is decided by the engine, for every language alike.
"""

from ._bundled import Bundled as Bundled
from ._environment import Environment as Environment
from ._file import File as File
from ._http import Http as Http
from ._layers import Layers as Layers
from ._mapped import mapped as mapped
from ._policy import Policy as Policy
from ._postgres import Postgres as Postgres
from ._redis import Redis as Redis
from ._refresh import Refresh as Refresh
from ._cached import Cached as Cached
from ._reporting import Reported as Reported
from ._reporting import Reporting as Reporting
from ._source import NOT_MODIFIED as NOT_MODIFIED
from ._source import Answer as Answer
from ._source import Failure as Failure
from ._source import Fetch as Fetch
from ._source import News as News
from ._source import NotModified as NotModified
from ._source import Request as Request
from ._source import Source as Source
from ._status import LastError as LastError
from ._status import Status as Status
from ._sync import Sync as Sync
from ._trips import Trip as Trip
from ._trips import TripStore as TripStore
from ._trips import Verdict as Verdict

__all__ = [
    "NOT_MODIFIED",
    "Answer",
    "Bundled",
    "Environment",
    "Failure",
    "Fetch",
    "File",
    "Http",
    "LastError",
    "Layers",
    "News",
    "NotModified",
    "Policy",
    "Postgres",
    "Redis",
    "Refresh",
    "Reported",
    "Reporting",
    "Request",
    "Cached",
    "Source",
    "Status",
    "Sync",
    "Trip",
    "TripStore",
    "Verdict",
    "mapped",
]
