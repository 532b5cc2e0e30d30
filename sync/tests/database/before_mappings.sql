-- Takes back what the version with mappings brought, and puts functions with the arguments of the version before in place of
-- those that changed. None of them may be called after an upgrade.
DROP VIEW esclusa.revision CASCADE;
DROP TABLE esclusa.mapping_history;
ALTER TABLE esclusa.watched DROP COLUMN mapping;
CREATE VIEW esclusa.revision AS
  SELECT watched.name,
    greatest(watched.at_ms, max(change.at_ms)) + watched.changes + count(change.at_ms) AS revision,
    watched.shape, watched.compared_at, watched.digest IS NOT NULL AS has_digest
  FROM esclusa.watched LEFT JOIN esclusa.change ON change.watched = watched.name
  GROUP BY watched.name;

DO $do$
DECLARE
  before text[] := '{"attach_all(relation oid, history text)", "changes(relation oid, operation text)",
    "history_insert(history text, relation oid, changes text, attempt integer)", "is_moving(relation oid, parts oid[])",
    "is_same(before jsonb, after jsonb)", "off_words()", "parts_of(relation oid)", "reading(relation oid)",
    "shape(relation oid, parts oid[])", "switch_off(relation oid, by_column text, flag text, caller_path text)",
    "try_history(history text, relation oid)"}';
  since text[] := '{check_mapping, closed, columns_in, detach, flags_name, idle_columns, is_on, key_of, matches, missing,
    named_columns, named_side_columns, own_words, relations_of, roles, roles_of, rows_of, side_relation, side_roles, sides,
    switch_off_named, twins, undo_mapping, unread, unwatch, whole_column}';
  one text;
BEGIN
  FOR one IN SELECT pg_proc.oid::regprocedure FROM pg_proc WHERE pronamespace = 'esclusa'::regnamespace
      AND (proname = ANY (since) OR proname IN (SELECT split_part(unnest(before), '(', 1))) LOOP
    EXECUTE format('DROP FUNCTION %s', one);
  END LOOP;
  FOREACH one IN ARRAY before LOOP
    EXECUTE format('CREATE FUNCTION esclusa.%s RETURNS text LANGUAGE plpgsql AS
      $f$BEGIN RAISE EXCEPTION ''this is the version before''; END$f$', one);
  END LOOP;
END
$do$;
CREATE FUNCTION esclusa.watch_of(called text) RETURNS esclusa.revision LANGUAGE plpgsql AS
  $f$BEGIN RAISE EXCEPTION 'this is the version before'; END$f$;
