"""A row becomes a flag: MAPPING.md, M5 to M24."""

import forms
import mapping_values as values
from forms import Fields
from mapping_checks import TARGETS
from mapping_columns import OVERRIDES, columns_of, field_of, given, named
from mapping_rows import Row, is_row


class Flag:
    """A flag in the making: its native fields by name, and what goes beside them."""

    def __init__(self, row, mapping):
        self.row, self.mapping = row, mapping
        self.fields, self.others, self.conditions = {}, [], []
        self.overrides = {place: [] for place in OVERRIDES}
        self.withheld = None
        self.is_unreadable = False
        readers = columns_of(mapping)
        for name, value in row.pairs:
            if named(mapping, name):
                paths = [path for column, path, use in readers if column == name and use != "ignore"]
                if paths and all(paths):
                    self.hand_on(name, values.as_json(value), paths)
            elif field_of(name) == "name" and "name" in mapping or field_of(name) in given(mapping):
                continue
            elif field_of(name) and field_of(name) not in self.fields:
                self.fields[field_of(name)] = (name, value)
            else:
                self.others.append((name, value))
        if isinstance(row, Row):
            self.set("name", row.key)
        elif "name" in mapping:
            value = self.find(mapping["name"])
            value = None if value is values.UNREADABLE or values.is_empty(value) else value
            self.set("name", str(value) if forms.is_integer(value) else value)

    def hand_on(self, name, value, paths):
        """M7: the fields that no entry walks to are columns of their own."""
        for field, inner in value.pairs if is_row(value) else ():
            rest = [path[1:] for path in paths if path[0] == field]
            if not rest:
                self.others.append((f"{name}.{field}", inner))
            elif all(rest):
                self.hand_on(f"{name}.{field}", inner, rest)

    def is_repeated(self, name):
        return len(self.row.all.get(name, [])) > 1

    def find(self, entry):
        """M5 and M7: a value, None if it is empty, or UNREADABLE."""
        name = entry if isinstance(entry, str) else entry["column"]
        value = self.row.all.get(name, [None])[0]
        return values.walk(value, values.path_of(entry))

    def get(self, field):
        return self.fields[field][1] if field in self.fields else None

    def set(self, field, value):
        self.fields[field] = (field, value)

    def drop(self, field):
        return self.fields.pop(field, (None, None))[1]

    def has(self, field):
        return not values.is_empty(self.get(field))

    def key(self):
        key = self.get("key") if self.get("key") is not None else self.get("name")
        return key if isinstance(key, str) else ""

    def unreadable(self, field, entry, raw=values.UNREADABLE):
        """M6."""
        self.is_unreadable = True
        self.set(field, values.mark(entry) if raw is values.UNREADABLE else raw)

    def withhold(self, column):
        self.is_unreadable = True
        self.withheld = self.withheld or values.label(column)

    def limit(self, most):
        """M10 and M18: limits the share to that many thousandths of a percent."""
        share = 100_000
        if self.has("rollout_percentage"):
            share = values.share_of(self.get("rollout_percentage"), 100)
            if not isinstance(share, int) or share > 100_000:
                return
        self.set("rollout_percentage", values.percentage(share * most // 100_000))
        self.drop("schedule")
        if values.word(self.get("status")) == "completed":
            self.set("status", "active")

    def translate(self, has_enabled):
        mapping = self.mapping
        self.read_switches(has_enabled)
        self.read_status()
        if "rollout_percentage" in mapping:
            self.read_share(mapping["rollout_percentage"], self.find(mapping["rollout_percentage"]), mapping["rollout_percentage"])
        for name in TARGETS:
            if name in mapping:
                self.read_target(name, mapping[name], self.find(mapping[name]), mapping[name])
        for side, kind in OVERRIDES:
            entry = mapping.get("overrides", {}).get(side, {}).get(kind)
            if entry is not None:
                self.read_override((side, kind), entry, self.find(entry), entry)
        for attribute in sorted(mapping.get("require", {})):
            entry = mapping["require"][attribute]
            self.read_require(attribute, entry, self.find(entry), entry)
        for name in ("start_date", "end_date"):
            if name in mapping:
                self.read_time(name, mapping[name], self.find(mapping[name]), mapping[name])
        for name in ("bucket_by", "salt"):
            self.read_text(name)
        if "conditions" in mapping:
            self.read_conditions(mapping["conditions"])
        if "variants" in mapping:
            self.read_variants(mapping["variants"])
        if "value" in mapping:
            self.read_value(mapping["value"])
        if self.default() is False:
            self.limit(0)
        for name in dict.fromkeys(name for name, _ in self.row.pairs):
            is_read = any(column == name and use != "ignore" for column, _, use in columns_of(mapping))
            if is_read and self.is_repeated(name):
                self.withhold(name)

    def default(self):
        return values.switch_of_entry(self.mapping["default"], self.find)[0] if "default" in self.mapping else True

    def read_switches(self, has_enabled):
        """M9 to M11."""
        mapping = self.mapping
        if "enabled" in mapping:
            on, column = values.switch_of_entry(mapping["enabled"], self.find)
            if on is None:
                raw = values.UNREADABLE if values.path_of(column) else self.find(column)
                self.unreadable("enabled", column, raw)
            else:
                self.set("enabled", on)
        elif not has_enabled and any(name in mapping for name in ("default", "fold", "side")):
            self.set("enabled", True)
        if "default" in mapping:
            on, column = values.switch_of_entry(mapping["default"], self.find)
            if on is None:
                self.withhold(column)
        for entry in mapping.get("off_when", []):
            value = self.find(entry)
            if value is values.UNREADABLE:
                self.set("enabled", False)
            elif not values.is_empty(value):
                is_off = values.is_one_of(value, values.as_list(entry["is"])) if isinstance(entry, Fields) and "is" in entry else forms.switch_of(value) is not False
                if is_off:
                    self.set("enabled", False)

    def read_status(self):
        """M11."""
        if "status" not in self.mapping:
            return
        entry = self.mapping["status"]
        value = self.find(entry)
        if value is values.UNREADABLE:
            self.unreadable("status", entry)
        elif not values.is_empty(value):
            words = entry.get("words", {}) if isinstance(entry, Fields) else {}
            known = [status for word, status in words.items() if values.word(word) == values.word(value)]
            self.set("status", known[0] if known else value)

    def read_share(self, column, value, options):
        """M12."""
        options = options if isinstance(options, Fields) else {}
        if value is values.UNREADABLE:
            self.unreadable("rollout_percentage", column)
        elif values.is_empty(value):
            if options.get("null") == "nobody":
                self.limit(0)
        else:
            share = values.share_of(value, options.get("of", 100))
            if share is None:
                self.unreadable("rollout_percentage", column, value)
            elif share == values.TOO_LARGE:
                self.unreadable("rollout_percentage", column, 101)
            else:
                self.set("rollout_percentage", values.percentage(share))

    def read_target(self, name, column, value, options):
        """M13."""
        options = options if isinstance(options, Fields) else {}
        found = None if value is values.UNREADABLE else values.list_of(value, options)
        if found is None:
            self.unreadable(name, column, value)
        elif found:
            self.set(name, found)
        elif options.get("empty") == "nobody":
            self.limit(0)

    def read_override(self, place, column, value, options):
        """M14."""
        found = None if value is values.UNREADABLE else values.list_of(value, options if isinstance(options, Fields) else {})
        if found is None:
            self.withhold(column)
        else:
            self.overrides[place] = found

    def read_require(self, attribute, column, value, options):
        options = options if isinstance(options, Fields) else {}
        found = None if value is values.UNREADABLE else values.list_of(value, options)
        if found is None:
            self.withhold(column)
        elif found:
            self.conditions.append({"attribute": attribute, "op": "in", "values": found})
        elif options.get("empty") == "nobody":
            self.limit(0)

    def read_time(self, name, column, value, options):
        """M15."""
        if value is values.UNREADABLE:
            self.unreadable(name, column)
        elif not values.is_empty(value):
            self.set(name, values.time_of(value, options if isinstance(options, Fields) else {}))

    def read_text(self, name):
        """M16."""
        entry = self.mapping.get(name)
        if isinstance(entry, Fields) and "const" in entry:
            self.set(name, entry["const"])
        elif entry is not None:
            value = self.find(entry)
            if value is values.UNREADABLE:
                self.unreadable(name, entry)
            elif not values.is_empty(value):
                self.set(name, str(value) if forms.is_integer(value) else value)

    def read_conditions(self, entry):
        """M20 to M24."""
        value = values.as_json(self.find(entry))
        if value is values.UNREADABLE:
            self.withhold(entry)
        elif values.is_empty(value):
            return
        elif entry["shape"] == "native":
            if isinstance(value, list):
                self.set("rules", value)
            elif is_row(value):
                self.conditions.append(value)
            else:
                self.withhold(entry)
        elif entry["shape"] == "tests":
            condition = values.condition_of(value, entry)
            if condition is None:
                self.withhold(entry)
            else:
                self.conditions.append(condition)
        else:
            self.read_lists(entry, value)

    def read_lists(self, entry, value):
        """M21."""
        known = entry["fields"]
        if not is_row(value) or any(name not in known and not values.is_empty(inner) for name, inner in value.pairs):
            self.withhold(entry)
            return
        for name, field in known.items():
            if len(value.all.get(name, [])) > 1:
                self.withhold(entry)
                return
            inner = value.get(name)
            inner = None if values.is_empty(inner) else inner
            options = {} if isinstance(field, str) else field
            field = field if isinstance(field, str) else field["entry"]
            options = Fields(list(options.items()))
            if field in TARGETS:
                self.read_target(field, entry, inner, options)
            elif field.startswith("overrides."):
                self.read_override(tuple(field.split(".")[1:]), entry, inner, options)
            elif field.startswith("require."):
                self.read_require(field[len("require.") :], entry, inner, options)
            elif field == "rollout_percentage":
                self.read_share(entry, inner, options)
            else:
                self.read_time(field, entry, inner, options)

    def read_variants(self, entry):
        """M18."""
        value = values.as_json(self.find(entry))
        if value is values.UNREADABLE:
            self.unreadable("variants", entry)
            return
        if values.is_empty(value):
            return
        found = values.variants_of(value, entry)
        if found is not None and entry.get("rest") == "off":
            found = self.leave_rest(found)
        if found is None:
            self.unreadable("variants", entry)
        else:
            self.set("variants", found)

    def leave_rest(self, variants):
        weights = [1 if variant.get("weight") is None else variant["weight"] for variant in variants]
        if not all(forms.is_number(weight) and weight >= 0 for weight in weights):
            return None
        total = sum(forms.thousandths(float(weight)) for weight in weights)
        if self.has("schedule") or is_row(self.get("rollout_percentage")) or isinstance(self.get("rollout_percentage"), dict) or total > 100_500:
            return None
        if total <= 99_000:
            self.limit(total)
        return variants

    def read_value(self, entry):
        """M19."""
        if isinstance(entry, Fields) and "off" in entry:
            self.set("off_value", entry["off"])
        value = self.find(entry)
        if value is values.UNREADABLE:
            self.unreadable("variants", entry)
        elif not values.is_empty(value):
            kind = self.find(entry["kind"]) if isinstance(entry, Fields) and "kind" in entry else None
            value = value if values.is_empty(kind) and kind is not values.UNREADABLE else values.of_kind(value, kind)
            if value is values.UNREADABLE:
                self.unreadable("variants", entry)
            else:
                self.set("variants", [{"key": "on", "value": value}])

    def native(self):
        """The flag with everything in its place; twice the same field stays so."""
        if self.conditions:
            rules = self.drop("rules")
            if isinstance(rules, list) and rules:
                self.set("rules", [values.with_conditions(rule, self.conditions) for rule in rules])
            else:
                self.set("rules", [{"key": "conditions", "when": values.all_of(self.conditions)}])
        if any(self.overrides.values()):
            sides = {}
            for (side, kind), ids in self.overrides.items():
                if ids:
                    sides.setdefault(side, {})[kind] = ids
            self.set("overrides", sides)
        if self.withheld is not None:
            self.set("start_date", {"unreadable": self.withheld})
        return Fields([*self.fields.values(), *self.others])
