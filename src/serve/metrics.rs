//! The exporter's own metrics.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::diagnose::Verdict;

/// Clock ticks a second in /proc (USER_HZ, proc(5)).
const TICKS: f64 = 100.0;

/// What is counted while the exporter runs.
#[derive(Debug, Default)]
pub(super) struct Counters {
    probes: Mutex<BTreeMap<(String, &'static str), u64>>,
    pub(super) joined: AtomicU64,
    pub(super) repeated: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) timed_out: AtomicU64,
    pub(super) rejected_busy: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) connections_dropped: AtomicU64,
    pub(super) idle_tests: AtomicU64,
    pub(super) idle_failures: AtomicU64,
}

impl Counters {
    /// Counts a probe.
    pub(super) fn probe(&self, module: &str, verdict: Verdict) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        *probes.entry((module.to_owned(), verdict.name())).or_default() += 1;
    }

    /// Counts one more.
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The state of the exporter at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) reload_succeeded: bool,
    pub(super) reloaded_at: f64,
    pub(super) started_at: f64,
    pub(super) in_flight: usize,
    pub(super) open_connections: usize,
    pub(super) targets_remembered: usize,
    pub(super) idle_groups: usize,
    pub(super) idle_running: usize,
    pub(super) idle_measured: usize,
    pub(super) counts: Vec<(&'static str, &'static str, u64)>,
    pub(super) probes: Vec<(String, &'static str, u64)>,
}

impl Snapshot {
    /// The counters as they are, beside gauges that the caller fills in.
    pub(super) fn of(counters: &Counters) -> Self {
        let probes = counters.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Self {
            reload_succeeded: true,
            reloaded_at: 0.0,
            started_at: 0.0,
            in_flight: 0,
            open_connections: 0,
            targets_remembered: 0,
            idle_groups: 0,
            idle_running: 0,
            idle_measured: 0,
            counts: vec![
                (
                    "ssh_doctor_probes_joined",
                    "Probes that shared the result of one that was running",
                    read(&counters.joined),
                ),
                (
                    "ssh_doctor_probes_repeated",
                    "Probes answered with a result within min_interval",
                    read(&counters.repeated),
                ),
                ("ssh_doctor_probes_refused", "Probes of targets outside the allow-list", read(&counters.refused)),
                ("ssh_doctor_probes_timed_out", "Probes that their deadline ended", read(&counters.timed_out)),
                (
                    "ssh_doctor_probes_rejected",
                    "Probes for which no place came free in time",
                    read(&counters.rejected_busy),
                ),
                ("ssh_doctor_http_connections", "Connections accepted", read(&counters.connections)),
                (
                    "ssh_doctor_http_connections_dropped",
                    "Connections without a request that made room for others",
                    read(&counters.connections_dropped),
                ),
                ("ssh_doctor_idle_tests", "Idle tests that were run", read(&counters.idle_tests)),
                ("ssh_doctor_idle_test_failures", "Idle tests without a result", read(&counters.idle_failures)),
            ],
            probes: probes.iter().map(|((module, verdict), count)| (module.clone(), *verdict, *count)).collect(),
        }
    }

    /// The exposition.
    pub(super) fn render(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }
}

impl Collector for Snapshot {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        sample(&mut out, "ssh_doctor_build_info", "1 with the version as a label", &version, 1.0)?;
        let mut probes =
            out.encode_descriptor("ssh_doctor_probes", "Probes by module and verdict", None, MetricType::Counter)?;
        for (module, verdict, count) in &self.probes {
            let labels = [("module", module.as_str()), ("verdict", verdict)];
            probes.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        for (name, help, count) in &self.counts {
            out.encode_descriptor(name, help, None, MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        let gauges = [
            ("ssh_doctor_probes_in_flight", "Probes that are running", self.in_flight as f64),
            ("ssh_doctor_http_connections_open", "Connections that are open", self.open_connections as f64),
            ("ssh_doctor_targets_remembered", "Targets whose last results are kept", self.targets_remembered as f64),
            ("ssh_doctor_idle_groups", "Path groups with an idle test", self.idle_groups as f64),
            ("ssh_doctor_idle_groups_measured", "Path groups with an idle result", self.idle_measured as f64),
            ("ssh_doctor_idle_tests_running", "Idle tests that are running", self.idle_running as f64),
            (
                "ssh_doctor_config_last_reload_successful",
                "1 where the last reload of the configuration succeeded",
                f64::from(u8::from(self.reload_succeeded)),
            ),
            (
                "ssh_doctor_config_last_reload_success_timestamp_seconds",
                "Unix time of the last successful reload of the configuration",
                self.reloaded_at,
            ),
            ("process_start_time_seconds", "Unix time at which the process started", self.started_at),
            ("process_open_fds", "Open file descriptors", open_files()),
            ("process_resident_memory_bytes", "Resident memory", resident()),
        ];
        for (name, help, value) in gauges {
            sample(&mut out, name, help, &[], value)?;
        }
        out.encode_descriptor("process_cpu_seconds", "Processor time, user and system", None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&processor_time(), None)
    }
}

fn sample(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, labels: &[(&str, &str)], value: f64) -> fmt::Result {
    struct Labels<'a>(&'a [(&'a str, &'a str)]);
    impl EncodeLabelSet for Labels<'_> {
        fn encode(&self, encoder: &mut prometheus_client::encoding::LabelSetEncoder<'_>) -> fmt::Result {
            self.0.encode(encoder)
        }
    }
    let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    if labels.is_empty() {
        return metric.encode_gauge(&value);
    }
    metric.encode_family(&Labels(labels))?.encode_gauge(&value)
}

/// Seconds since 1970.
pub(super) fn now_s() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn open_files() -> f64 {
    fs::read_dir("/proc/self/fd").map_or(f64::NAN, |entries| entries.count() as f64)
}

fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.map_or(f64::NAN, |kib: f64| kib * 1024.0)
}

/// utime and stime of proc(5), counted behind the command name, which may hold blanks and brackets.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS
}
