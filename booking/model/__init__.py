"""Model: the tables, and the constraints that make wrong states impossible. All of them are imported together."""

from booking.model.base import Base, UtcDateTime
from booking.model.bookings import BOOKING_STATES, HOLDING, LIVE, Booking, Strike, Try
from booking.model.people import LANGUAGES, SIGNED_IN, Code, Failure, Feed, Manages, Person, SignedIn, SignIn
from booking.model.places import DayOverride, Station, Workday, Zone
from booking.model.programme import KINDS, SLOT_STATES, Activity, Plan, PlanException, Slot
from booking.model.records import Digest, DigestRound, DoorTap, Event, JobRun, Letter, MailPause, Outage, SetAside

__all__ = [
    "BOOKING_STATES",
    "HOLDING",
    "KINDS",
    "LANGUAGES",
    "LIVE",
    "SIGNED_IN",
    "SLOT_STATES",
    "Activity",
    "Base",
    "Booking",
    "Code",
    "DayOverride",
    "Digest",
    "DigestRound",
    "DoorTap",
    "Event",
    "Failure",
    "Feed",
    "JobRun",
    "Letter",
    "MailPause",
    "Manages",
    "Outage",
    "Person",
    "Plan",
    "PlanException",
    "SetAside",
    "SignIn",
    "SignedIn",
    "Slot",
    "Station",
    "Strike",
    "Try",
    "UtcDateTime",
    "Workday",
    "Zone",
]
