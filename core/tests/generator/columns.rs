//! Fields of flags that are not read: columns of the users' own, and those that look like restrictions (2.2.25 to 2.2.28).

use super::node::{Node, raw};
use super::random::Random;

/// Names that say each kind of thing.
const NAMES: [&str; 29] = [
    "rolloutpercentage",
    "países",
    "STATE",
    "isactive",
    "allowedcompanyids",
    "regio\u{301}n",
    "departmentIDs",
    "rollout_percent",
    "percentage",
    "canary",
    "allowed_roles",
    "excludedUsers",
    "owner_only",
    "organization_id",
    "tenantId",
    "department_ids",
    "expires_at",
    "environment",
    "scope",
    "is_archived",
    "beta",
    "is_active",
    "enabled_by_default",
    "plan_notes",
    "owner_role",
    "jira_ticket",
    "updated_at",
    "Target_plans",
    "batches_for",
];

/// Values that restrict, that do not, and that do under some names.
const VALUES: [&str; 31] = [
    "\"Archived\"",
    "\" inactivo\"",
    "\"100 %\"",
    "\"25%\"",
    "\"Todos\"",
    "null",
    "\"\"",
    "\" \\t\"",
    "[]",
    "{}",
    "\"[]\"",
    "\"all\"",
    "[\"Everyone\"]",
    "[\"all\",\"x\"]",
    "[0]",
    "{\"a\":1}",
    "true",
    "false",
    "\"Off\"",
    "\"no\"",
    "0",
    "\"0\"",
    "1",
    "100",
    "100.5",
    "\"100.0\"",
    "\"99.5\"",
    "\"1e2\"",
    "\"production\"",
    "7",
    "-1",
];

/// Adds a column of the users' own.
pub(crate) fn add(random: &mut Random, flag: &mut Node) {
    let value = raw(random.pick(&VALUES));
    let name = random.pick(&NAMES);
    flag.add(name, value.clone());
    // Now and then it is there twice.
    if random.chance(4) {
        flag.add(name, raw(random.pick(&VALUES)));
    }
}

/// Gives every flag the same column with one value, or with another for some.
pub(crate) fn add_default(random: &mut Random, flags: &mut [(String, Node)]) {
    let (name, value) =
        [("environment", "\"production\""), ("allowed_roles", "[\"x\"]"), ("tenant", "7")][random.below(3)];
    for (_, flag) in flags.iter_mut().filter(|(_, flag)| matches!(flag, Node::Object(_))) {
        flag.set(name, raw(if random.chance(8) { "\"staging\"" } else { value }));
    }
}
