// The inbox is no flag here, layout neither.
if (flags.isEnabled('crm_advanced') || flags.value("layout") === 'list') {
  const { inboxV2 } = useFlags();
}
