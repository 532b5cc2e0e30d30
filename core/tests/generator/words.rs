//! The small vocabularies of snapshots and contexts: so small that things often match, with texts on both sides of the
//! lengths at which an engine may change how it compares.

pub(crate) const USERS: [&str; 14] = [
    "user-1",
    "user-2",
    "user-3",
    "user-42",
    "7",
    "",
    "ñandú",
    "fourteen-bytes",
    "fifteen--bytes-",
    "sixteen--bytes--",
    "a user with a key that is far longer than sixteen bytes",
    "USER-1",
    "\u{1f600}",
    "user-1243",
];
pub(crate) const COMPANIES: [&str; 8] =
    ["acme", "globex", "initech", "", "12", "company-14-byt", "company-15-byte", "company--16-byte"];
pub(crate) const PLANS: [&str; 5] = ["FREE", "PREMIUM", "ENTERPRISE", "premium", ""];
pub(crate) const ROLES: [&str; 6] = ["ADMIN", "AGENT", "OWNER", "café", "3", ""];
pub(crate) const REGIONS: [&str; 5] = ["CO", "MX", "AR", "co", "İstanbul"];
pub(crate) const TEXTS: [&str; 22] = [
    "",
    "a",
    "A",
    "ana@acme.com",
    "ANA@ACME.COM",
    "bob@globex.com",
    "ÀÉÎ",
    "àéî",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "İ",
    "i\u{307}",
    "ẞ",
    "ß",
    "ios",
    "android",
    "line one\nline two",
    "12",
    "true",
    "e\u{301}",
    "é",
    "a text that is far longer than sixteen bytes",
];
pub(crate) const PARTS: [&str; 14] =
    ["", "a", "@acme.com", "ana", "@", ".com", "À", "é", "σ", "Σ", "i", "İ", "bob@", "than sixteen bytes"];
/// Expressions that mean the same in every dialect.
pub(crate) const EXPRESSIONS: [&str; 16] = [
    "^ana@",
    "@acme\\.com$",
    "^[a-z]+@[a-z]+\\.com$",
    "a|b",
    "",
    "^$",
    "(?i)ana",
    "o{2,3}",
    "^.{2}$",
    "line.two",
    "^line two",
    "[^a-z]",
    "(ana|bob)@",
    "^a+$",
    "x*y?",
    "\\.com",
];
pub(crate) const VERSIONS: [&str; 14] = [
    "1.0.0",
    "1.2.3",
    "1.10.0",
    "2.0.0-alpha",
    "2.0.0-alpha.1",
    "2.0.0-alpha.beta",
    "2.0.0-rc.99999999999999999999999",
    "2.0.0",
    "2.0.0+build.7",
    "2.0.0+build.8",
    "0.0.0",
    "18446744073709551615.0.0",
    "2.0.0-1",
    "2.0.0--",
];
pub(crate) const NO_VERSIONS: [&str; 7] =
    ["1.0", "v1.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "18446744073709551616.0.0", " 1.0.0"];
pub(crate) const NETWORKS: [&str; 12] = [
    "10.0.0.0/8",
    "10.1.2.3/16",
    "192.168.1.7",
    "0.0.0.0/0",
    "2001:db8::/32",
    "2001:db8::1",
    "::/0",
    "::ffff:10.0.0.0/104",
    "10.0.0.1/32",
    "::ffff:0:0/96",
    "10.0.0.0/31",
    "fe80::/10",
];
pub(crate) const ADDRESSES: [&str; 11] = [
    "10.0.0.1",
    "10.1.200.3",
    "192.168.1.7",
    "8.8.8.8",
    "2001:db8::1",
    "2001:db9::1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::1",
    "fe80::1",
    "10.0.0.2",
];
pub(crate) const NO_ADDRESSES: [&str; 6] = ["fe80::1%eth0", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/8", ""];
/// JSON numbers, as they may be written.
pub(crate) const NUMBERS: [&str; 20] = [
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1e0",
    "5",
    "10",
    "10.5",
    "-3",
    "1e2",
    "100",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740991",
    "1e300",
    "0.1",
    "0.30000000000000004",
    "18446744073709551616",
];
/// Times with the instants that they are, in milliseconds.
pub(crate) const TIMES: [(&str, i64); 16] = [
    ("2025-06-01", 1_748_736_000_000),
    ("2025-06-01T00:00:00Z", 1_748_736_000_000),
    ("2025-06-10T12:00:00Z", 1_749_556_800_000),
    ("2025-06-10 07:00:00-05", 1_749_556_800_000),
    ("2025-06-10t17:30:00.000999+05:30", 1_749_556_800_000),
    ("2025-06-15 12:00:00.123+00", 1_749_988_800_123),
    ("2025-06-15T12:00:00.123999999999999999z", 1_749_988_800_123),
    ("2025-06-20T23:59:60Z", 1_750_463_999_000),
    ("2025-06-20T23:59:59+00:00:00", 1_750_463_999_000),
    ("2025-07-01T00:00:00.001Z", 1_751_328_000_001),
    ("2024-02-29", 1_709_164_800_000),
    ("0001-01-01", -62_135_596_800_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ("1969-12-31T23:59:59.999Z", -1),
    ("1970-01-01T00:00:00.000000001Z", 0),
    ("2025-06-15T12:00:00.1Z", 1_749_988_800_100),
];
pub(crate) const NO_TIMES: [&str; 14] = [
    "2025-02-29",
    "2025-06-15T12:00Z",
    "2025-06-15T12:00:00",
    "0000-01-01",
    "2025-13-01",
    "2025-06-15T24:00:00Z",
    "2025-06-15T12:00:61Z",
    "2025-06-15T12:00:00.Z",
    "2025-06-15T12:00:00.1234567890123456789Z",
    "2025-06-15T12:00:00+24",
    "2025-06-15T12:00:00+05:60",
    "15.06.2025",
    "2025-06-15 ",
    "2025-06-15T12:00:00+0530",
];
/// Times as numbers.
pub(crate) const INSTANTS: [&str; 9] = [
    "1748736000000",
    "1749556799999.5",
    "1.749556800001e12",
    "-1",
    "-0.5",
    "253402300800000",
    "-62135596800001",
    "253402300799999",
    "0",
];
pub(crate) const PERCENTAGES: [&str; 22] = [
    "0",
    "100",
    "50",
    "\"50\"",
    "12.5",
    "12.500",
    "\"12.500\"",
    "0.001",
    "99.999",
    "1e1",
    "\"1e1\"",
    "33.333",
    "66.667",
    "100.0",
    "1e2",
    "-0",
    "\"0\"",
    "25",
    "75",
    "\"99.999\"",
    "5e-1",
    "\"-0\"",
];
pub(crate) const NO_PERCENTAGES: [&str; 14] = [
    "150",
    "-1",
    "100.001",
    "0.0001",
    "\"\"",
    "\" 5\"",
    "\"5%\"",
    "\"05\"",
    "\"+5\"",
    "true",
    "[5]",
    "\"1e400\"",
    "-0.001",
    "\".5\"",
];
/// What says on, as JSON; the first most of all.
pub(crate) const ON: [&str; 9] =
    ["true", "1", "1.0", "\"true\"", "\" Yes \"", "\"ON\"", "\"t\"", "\"enabled\\n\"", "\"Active\""];
/// What says off, as JSON.
pub(crate) const OFF: [&str; 9] =
    ["false", "0", "-0.0", "\"False\"", "\"\\tno\"", "\"OFF\"", "\"f\"", "\"Disabled\"", "\"inactive\""];
/// Statuses; a flag is mostly not off by them.
pub(crate) const STATUSES: [&str; 20] = [
    "active",
    "active",
    "active",
    "active",
    "active",
    "active",
    "Live",
    " on ",
    "released",
    "ENABLED",
    "completed",
    "completed",
    "Completed",
    "draft",
    "Planned",
    "paused",
    "Inactive",
    "rolled_back",
    "Rolled-Back",
    "rolled back",
];
/// Attributes that conditions and units name.
pub(crate) const ATTRIBUTES: [&str; 13] = [
    "email",
    "version",
    "ip",
    "seats",
    "beta",
    "joined",
    "tags",
    "device.os",
    "device.year.model",
    "a.b",
    "account",
    "nobody",
    "company.name",
];
pub(crate) const FIELDS: [&str; 7] = ["user", "targetingKey", "company", "plan", "region", "role", "roles"];
