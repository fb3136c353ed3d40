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

/// The counters of the exporter.
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

    /// Increments a counter.
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The gauges of the exporter at one moment.
#[derive(Debug)]
pub(super) struct Gauges {
    pub(super) reload_succeeded: bool,
    pub(super) reloaded_at: f64,
    pub(super) started_at: f64,
    pub(super) in_flight: usize,
    pub(super) open_connections: usize,
    pub(super) targets_remembered: usize,
    pub(super) idle_groups: usize,
    pub(super) idle_running: usize,
    pub(super) idle_measured: usize,
}

/// The counters and gauges of one exposition.
#[derive(Debug)]
struct Snapshot {
    gauges: Gauges,
    counts: Vec<(&'static str, &'static str, u64)>,
    probes: Vec<(String, &'static str, u64)>,
}

/// Renders the metrics in the text format of Prometheus.
pub(super) fn render(counters: &Counters, gauges: Gauges) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot::of(counters, gauges)));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

impl Snapshot {
    fn of(counters: &Counters, gauges: Gauges) -> Self {
        let probes = counters.probes.lock().unwrap_or_else(PoisonError::into_inner);
        let probes = probes.iter().map(|((module, verdict), count)| (module.clone(), *verdict, *count)).collect();
        let counts = [
            ("ssh_doctor_probes_joined", "Probes that shared the result of a running probe", &counters.joined),
            (
                "ssh_doctor_probes_repeated",
                "Probes answered with the result of the last min_interval",
                &counters.repeated,
            ),
            ("ssh_doctor_probes_refused", "Probes of targets outside the allow-list", &counters.refused),
            ("ssh_doctor_probes_timed_out", "Probes cut off at their deadline", &counters.timed_out),
            ("ssh_doctor_probes_rejected", "Probes rejected because max_probes were running", &counters.rejected_busy),
            ("ssh_doctor_http_connections", "HTTP connections accepted", &counters.connections),
            (
                "ssh_doctor_http_connections_dropped",
                "HTTP connections without a request that were closed to make room",
                &counters.connections_dropped,
            ),
            ("ssh_doctor_idle_tests", "Idle tests started", &counters.idle_tests),
            ("ssh_doctor_idle_test_failures", "Idle tests without a result", &counters.idle_failures),
        ];
        let counts = counts.map(|(name, help, counter)| (name, help, counter.load(Ordering::Relaxed))).to_vec();
        Self { gauges, counts, probes }
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
        let gauge = &self.gauges;
        let gauges = [
            ("ssh_doctor_probes_in_flight", "Probes that are running", gauge.in_flight as f64),
            ("ssh_doctor_http_connections_open", "HTTP connections that are open", gauge.open_connections as f64),
            ("ssh_doctor_targets_remembered", "Targets whose last results are kept", gauge.targets_remembered as f64),
            ("ssh_doctor_idle_groups", "Path groups with an idle test", gauge.idle_groups as f64),
            ("ssh_doctor_idle_groups_measured", "Path groups with an idle result", gauge.idle_measured as f64),
            ("ssh_doctor_idle_tests_running", "Idle tests that are running", gauge.idle_running as f64),
            (
                "ssh_doctor_config_last_reload_successful",
                "1 if the last reload of the configuration succeeded",
                f64::from(u8::from(gauge.reload_succeeded)),
            ),
            (
                "ssh_doctor_config_last_reload_success_timestamp_seconds",
                "Unix time of the last successful reload of the configuration",
                gauge.reloaded_at,
            ),
            ("process_start_time_seconds", "Unix time at which the process started", gauge.started_at),
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

/// Returns the Unix time in seconds.
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
