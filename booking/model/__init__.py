"""Model: the tables, and the constraints that make wrong states impossible. All of them are imported together."""

from booking.model.base import Base
from booking.model.bookings import HOLDING, LIVE, Booking, Follow, Strike, Try
from booking.model.draws import UNDECIDED, Draw, DrawChain, DrawEntry, DrawValue
from booking.model.network import (
    LEVELS,
    OVERSIGHT,
    ManagerInvitation,
    Node,
    Oversees,
    StaffTransfer,
    StationDayTotals,
    StationImport,
)
from booking.model.notices import NO_PICTURE, Notice
from booking.model.people import (
    LANGUAGES,
    REQUIRED_OF,
    SIGNED_IN,
    Code,
    Consent,
    DoorHelper,
    Failure,
    Feed,
    Manages,
    Person,
    RecoveryCode,
    SecondFactor,
    SecondFactorPolicy,
    SignedIn,
    SignIn,
)
from booking.model.pictures import Picture
from booking.model.places import DayOverride, Station, Workday, Zone
from booking.model.programme import ALLOCATIONS, KINDS, VALUE_KINDS, Activity, Plan, PlanException, Slot
from booking.model.ratings import FACES, Rating
from booking.model.records import (
    CATALOGUE,
    OF_ENTRIES,
    OF_NODES,
    Bounce,
    CalendarDomain,
    Digest,
    DigestRound,
    DoorTap,
    Event,
    JobRun,
    Letter,
    MailPause,
    Outage,
    SetAside,
    Suppression,
)
from booking.model.services import (
    FORGOTTEN_REQUEST,
    REQUEST_KINDS,
    REQUEST_STATES,
    AttendanceProof,
    DoorArrival,
    ServiceRequest,
)
from booking.model.watching import WatchLink, WatchOpen
from booking.model.wishes import OPEN_WISHES, WISH_STATES, ActivityWish, WishVote
