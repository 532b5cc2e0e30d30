"""Feature flags for multi-tenant software, answered in nanoseconds from a compiled snapshot.

>>> from esclusa import Context, Flags
>>> flags = Flags()
>>> report = flags.publish('[{"name": "crm_advanced_features", "enabled": true, "target_plans": ["PREMIUM"]}]')
>>> flags.is_enabled("crm_advanced_features", Context("user-42", company="acme", plan="PREMIUM"))
True
"""

try:
    from ._native import Context as Context
except ImportError as _problem:
    if "subinterpreter" in str(_problem):
        raise ImportError("esclusa works in the main interpreter alone, and this is a subinterpreter") from _problem
    raise

from ._explanation import Explanation as Explanation
from ._explanation import Step as Step
from ._flags import Flags as Flags
from ._counting import Counting as Counting
from ._guards import GuardCounts as GuardCounts
from ._guards import GuardMetric as GuardMetric
from ._guards import GuardProblem as GuardProblem
from ._guards import GuardProposal as GuardProposal
from ._guards import Guards as Guards
from ._guards import GuardStatus as GuardStatus
from ._guards import GuardTrip as GuardTrip
from ._mapping import Mapping as Mapping
from ._measure import Measure as Measure
from ._measure import Measured as Measured
from ._native import VERSION as _VERSION
from ._native import Resolution as Resolution
from ._native import bucket as bucket
from ._native import hash as hash
from ._native import ranges as ranges
from ._questions import FlagSet as FlagSet
from ._reading import Column as Column
from ._reading import LeftOut as LeftOut
from ._reading import Notice as Notice
from ._reading import Reading as Reading
from ._report import Kept as Kept
from ._report import MappingError as MappingError
from ._report import Report as Report
from ._report import SetAside as SetAside
from ._report import SnapshotError as SnapshotError
from ._report import Violation as Violation
from ._tracked import Tracked as Tracked
from ._typed_key import TypedKey as TypedKey

__version__: str = _VERSION

# Not `hash`, `bucket` and `ranges`, which would hide a built-in function and are for porting and testing.
__all__ = [
    "Column",
    "Context",
    "Counting",
    "Explanation",
    "FlagSet",
    "Flags",
    "GuardCounts",
    "GuardMetric",
    "GuardProblem",
    "GuardProposal",
    "GuardStatus",
    "GuardTrip",
    "Guards",
    "Kept",
    "LeftOut",
    "Mapping",
    "MappingError",
    "Measure",
    "Measured",
    "Notice",
    "Reading",
    "Report",
    "Resolution",
    "SetAside",
    "SnapshotError",
    "Step",
    "Tracked",
    "TypedKey",
    "Violation",
]
