//! The numbers of guards for Prometheus: a collector of `prometheus-client`, and the text of it alone.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::guards::Guards;
use crate::status::State;
use crate::tally::{ENDS_MS, Tallies, Tally};

const STATES: [State; 5] = [State::Waiting, State::Healthy, State::Suspicious, State::Blind, State::Tripped];

/// Labels, by their names.
type Labels<'l, const COUNT: usize> = [(&'static str, &'l str); COUNT];

impl Guards {
    /// The numbers of the guards as Prometheus reads them, in the format of OpenMetrics 1.0
    /// (`application/openmetrics-text; version=1.0.0; charset=utf-8`). An app that has a registry of `prometheus-client`
    /// registers the guards as a collector instead.
    ///
    /// | name | what it is |
    /// |---|---|
    /// | `esclusa_outcomes_total{flag,event,arm,outcome}` | outcomes of callers that are in an arm, `ok` and `error` |
    /// | `esclusa_outcome_duration_seconds{flag,event,arm}` | how long they took, a histogram |
    /// | `esclusa_units{flag,event,arm}` | units that reported in the present epoch |
    /// | `esclusa_bad_units{flag,metric,arm}` | those that are bad for a metric |
    /// | `esclusa_guard_state{flag,state}` | 1 for the state of the guard, 0 for the others |
    /// | `esclusa_guard_evidence_ratio{flag,metric}` | the logarithm of the evidence by that of the bar; 1 trips |
    /// | `esclusa_guard_trips_total{flag,metric}` | how often this process has tripped |
    /// | `esclusa_dropped_total{reason}` | outcomes that count for nothing: `lost`, or of an event that no guard names, `unwatched` |
    /// | `esclusa_snapshot_revision` | the revision of the set; 0 if it has none |
    ///
    /// ```
    /// use esclusa::{Context, FlagSet, Flags};
    /// use esclusa_guard::{Guards, Outcome};
    /// let flags = Flags::new();
    /// let row = br#"[{"name": "crm", "enabled": true, "rollout_percentage": 50, "guard": {"errors": {}}}]"#;
    /// let _ = flags.publish(FlagSet::from_json(row)?);
    /// let guards = Guards::new(&flags);
    /// guards.track("crm", &Context::new("user-42"), Outcome::error());
    /// let line = r#"esclusa_outcomes_total{flag="crm",event="crm",arm="off",outcome="error"} 1"#;
    /// assert!(guards.exposition().lines().any(|one| one == line), "{}", guards.exposition());
    /// # Ok::<(), esclusa::SnapshotError>(())
    /// ```
    #[must_use]
    pub fn exposition(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Guards {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let reported = self.reported();
        let revision = i64::try_from(self.flags().current().revision().unwrap_or_default()).unwrap_or(i64::MAX);
        encoder
            .encode_descriptor(
                "esclusa_snapshot_revision",
                "The revision of the set; 0 if it has none",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&revision)?;

        let about = "Outcomes that count for nothing";
        let mut dropped = encoder.encode_descriptor("esclusa_dropped", about, None, MetricType::Counter)?;
        for (reason, count) in [("lost", self.dropped()), ("unwatched", self.unwatched())] {
            dropped.encode_family(&[("reason", reason)])?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
        }

        let about = "Outcomes of callers in an arm";
        let mut outcomes = encoder.encode_descriptor("esclusa_outcomes", about, None, MetricType::Counter)?;
        for (_, one) in &reported {
            for (arm, tally) in one.tallies.arms() {
                for (outcome, count) in tally.outcomes() {
                    let labels: Labels<'_, 4> =
                        [("flag", one.key.as_str()), ("event", &one.event), ("arm", arm), ("outcome", outcome)];
                    outcomes.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
                }
            }
        }

        let about = "How long they took";
        let mut durations =
            encoder.encode_descriptor("esclusa_outcome_duration_seconds", about, None, MetricType::Histogram)?;
        for (_, one) in &reported {
            for (arm, tally) in one.tallies.arms() {
                let (sum, counts) = tally.durations();
                let ends = ENDS_MS.iter().map(|end| end / 1_000.0).chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
                let labels: Labels<'_, 3> = [("flag", one.key.as_str()), ("event", &one.event), ("arm", arm)];
                let count = counts.iter().sum();
                durations.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
            }
        }

        let about = "Units that reported in the present epoch";
        let mut units = encoder.encode_descriptor("esclusa_units", about, None, MetricType::Gauge)?;
        for (status, one) in &reported {
            for (arm, count) in [("on", status.on_units), ("off", status.off_units)] {
                let labels: Labels<'_, 3> = [("flag", &status.flag), ("event", &one.event), ("arm", arm)];
                units.encode_family(&labels)?.encode_gauge(&count)?;
            }
        }

        let about = "Units that are bad for a metric, in the present epoch";
        let mut bad = encoder.encode_descriptor("esclusa_bad_units", about, None, MetricType::Gauge)?;
        for (status, _) in &reported {
            for metric in &status.metrics {
                for (arm, count) in [("on", metric.on_bad), ("off", metric.off_bad)] {
                    let labels: Labels<'_, 3> = [("flag", &status.flag), ("metric", &metric.name), ("arm", arm)];
                    bad.encode_family(&labels)?.encode_gauge(&count)?;
                }
            }
        }

        let about = "1 for the state of the guard, 0 for the others";
        let mut states = encoder.encode_descriptor("esclusa_guard_state", about, None, MetricType::Gauge)?;
        for (status, _) in &reported {
            for state in STATES {
                let labels: Labels<'_, 2> = [("flag", &status.flag), ("state", state.as_str())];
                states.encode_family(&labels)?.encode_gauge(&i64::from(state == status.state))?;
            }
        }

        let about = "The logarithm of the evidence by that of the bar; 1 trips";
        let mut ratios = encoder.encode_descriptor("esclusa_guard_evidence_ratio", about, None, MetricType::Gauge)?;
        for (status, _) in &reported {
            for metric in &status.metrics {
                let log_e = [metric.log_relative, metric.log_limit].into_iter().flatten().fold(f64::MIN, f64::max);
                let labels: Labels<'_, 2> = [("flag", &status.flag), ("metric", &metric.name)];
                ratios.encode_family(&labels)?.encode_gauge(&(log_e / status.log_bar))?;
            }
        }

        let about = "How often this process has tripped";
        let mut trips = encoder.encode_descriptor("esclusa_guard_trips", about, None, MetricType::Counter)?;
        for (status, one) in &reported {
            for metric in &status.metrics {
                let count = one.trips(&metric.name);
                let labels: Labels<'_, 2> = [("flag", &status.flag), ("metric", &metric.name)];
                trips.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)?;
            }
        }
        Ok(())
    }
}

impl Tallies {
    /// Each arm by its word.
    fn arms(&self) -> [(&'static str, &Tally); 2] {
        [("on", &self.on), ("off", &self.off)]
    }
}

impl Tally {
    /// Each outcome by its word, with its number.
    fn outcomes(&self) -> [(&'static str, u64); 2] {
        [("ok", self.ok.load(Ordering::Relaxed)), ("error", self.errors.load(Ordering::Relaxed))]
    }

    /// The sum of the durations in seconds, and the number in each bucket.
    fn durations(&self) -> (f64, [u64; ENDS_MS.len() + 1]) {
        let counts =
            std::array::from_fn(|place| self.durations.get(place).map_or(0, |bucket| bucket.load(Ordering::Relaxed)));
        #[expect(clippy::cast_precision_loss, reason = "microseconds, exact for 285 years")]
        let sum = self.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
        (sum, counts)
    }
}
