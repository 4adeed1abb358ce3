//! The limits that an organiser's description of an event has to keep.

/// How many sections an event has at most.
pub const SECTIONS: usize = 200;
/// How many ticket types a section has at most.
pub const TICKET_TYPES_PER_SECTION: usize = 50;
/// How many pools an event has at most.
pub const POOLS: usize = 100;
/// The range from which an organiser may choose how many tickets of a type, a tier or a pool there are.
pub const QUANTITY: std::ops::RangeInclusive<u32> = 1..=100_000_000;
/// How many pricing tiers an event has at most, all sections together.
pub const PRICING_TIERS: usize = 1_000;
/// How many fees an event has at most.
pub const FEES: usize = 20;
/// How many taxes an event has at most.
pub const TAXES: usize = 10;
/// How many codes an event has at most.
pub const CODES: usize = 10_000;
/// How many sections and ticket types a code names at most.
pub const VALID_FOR: usize = 50;
/// How many times codes are added to an event at most. Each time costs every search for a code a little.
pub const CODE_BATCHES: usize = 500;
/// How many codes are added at once at most.
pub const CODES_AT_ONCE: usize = 1_000;
/// How many rows a numbered section has at most.
pub const ROWS_PER_SECTION: usize = 2_000;
/// How many places a row has at most whose places are listed one by one.
pub const PLACES_PER_ROW: usize = 1_000;
/// How many seats a numbered section has at most, gaps included.
pub const SEATS_PER_NUMBERED_SECTION: u32 = 100_000;
/// How many places a section of general admission has at most.
pub const PLACES_PER_SECTION: u32 = 1_000_000;
/// The least and the most seconds that an organiser may let a hold last.
pub const HOLD_SECONDS: std::ops::RangeInclusive<u32> = 60..=3_600;
/// How many seconds a hold lasts if the organiser does not say.
pub const DEFAULT_HOLD_SECONDS: u32 = 300;
/// How often an organiser may let a hold be extended.
pub const EXTENSIONS: std::ops::RangeInclusive<u32> = 0..=10;
/// How often a hold may be extended if the organiser does not say. People who need more time than others must be
/// able to get it (WCAG 2.2.1).
pub const DEFAULT_EXTENSIONS: u32 = 2;
/// The most seconds that an organiser may let a hold last in all: four hours.
pub const MAX_HOLD_SECONDS: u32 = 14_400;
/// The range from which an organiser may choose how many seats one reservation has at most.
pub const SEATS_PER_ORDER: std::ops::RangeInclusive<u32> = 1..=100;
/// How many seats one reservation has at most if the organiser does not say.
pub const DEFAULT_SEATS_PER_ORDER: u32 = 8;
/// The range from which an organiser may choose how many seats one customer has at most.
pub const SEATS_PER_CUSTOMER: std::ops::RangeInclusive<u32> = 1..=100_000;
/// How many rules a refund policy has at most.
pub const REFUND_RULES: usize = 20;
/// The highest price of one seat, in minor units of the currency: ten million euros, for example.
pub const PRICE: i64 = 1_000_000_000;
/// How many years from now an event may begin at most.
pub const YEARS_AHEAD: i64 = 20;
