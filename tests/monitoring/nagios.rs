//! The files for Nagios and Icinga, with the real programs.

use std::fs;
use std::process::Command;

use ssh_doctor::record;

use super::{DOCTOR, PATIENCE, Running, adapted, guide, successful};
use crate::lab::{eventually, has};
use crate::support::healthy;
use crate::support::loopback::LoopbackSshd;

#[test]
fn icinga_accepts_the_check_commands() {
    if has("icinga2") {
        let mut command = Command::new("/usr/sbin/icinga2");
        command.args(["daemon", "-C", "-DRunAsUser=root", "-DRunAsGroup=root", "-c"]).arg(guide("icinga2.conf"));
        let output = successful(&mut command);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("Instantiated 2 CheckCommands") && !said.contains("warning/"), "{said}");
    }
}

/// What Debian's configuration of Nagios defines for all hosts and services, with checks every second.
const NAGIOS_TEMPLATES: &str = "
define timeperiod {
  timeperiod_name  24x7
  alias            24x7
  sunday           00:00-24:00
  monday           00:00-24:00
  tuesday          00:00-24:00
  wednesday        00:00-24:00
  thursday         00:00-24:00
  friday           00:00-24:00
  saturday         00:00-24:00
}
define command {
  command_name  notify
  command_line  /bin/true
}
define contact {
  contact_name                   admin
  host_notifications_enabled     0
  service_notifications_enabled  0
  host_notification_period       24x7
  service_notification_period    24x7
  host_notification_commands     notify
  service_notification_commands  notify
}
define host {
  name                   generic-host
  register               0
  contacts               admin
  check_period           24x7
  notification_period    24x7
  notification_interval  60
  check_interval         5
  max_check_attempts     3
}
define service {
  name                   generic-service
  register               0
  contacts               admin
  check_period           24x7
  notification_period    24x7
  notification_interval  60
  check_interval         5
  retry_interval         5
  max_check_attempts     3
}
";

/// The main configuration: all its files in the folder `{0}`, an interval of a second, all checks at once.
const NAGIOS_MAIN: &str = "cfg_file={0}/templates.cfg
cfg_file={0}/objects.cfg
log_file={0}/log
status_file={0}/status.dat
object_cache_file={0}/objects.cache
precached_object_file={0}/objects.precache
state_retention_file={0}/retention.dat
lock_file={0}/lock
temp_file={0}/temp
temp_path={0}
command_file={0}/commands
query_socket={0}/query
check_result_path={0}/results
nagios_user=root
nagios_group=root
check_external_commands=0
check_for_updates=0
use_syslog=0
interval_length=1
status_update_interval=1
service_inter_check_delay_method=n
host_inter_check_delay_method=n
illegal_macro_output_chars=`~$&|<>
";

#[test]
fn nagios_core_runs_the_plugin_and_reads_its_output() {
    let Some(sshd) = LoopbackSshd::start() else { return };
    if !has("nagios4") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    fs::create_dir(folder.path().join("results")).unwrap();
    fs::write(folder.path().join("ssh_config"), sshd.ssh_config()).unwrap();
    let mut recording = healthy();
    recording.started_at = jiff::Timestamp::now();
    record::save(&recording, &folder.path().join("db1.json"), record::Words::Anonymous).unwrap();
    let objects = adapted(
        "nagios.cfg",
        &[
            ("/usr/bin/ssh-doctor check", &format!("{DOCTOR} check -F {name}/ssh_config")),
            ("/usr/bin/ssh-doctor diagnose", &format!("{DOCTOR} diagnose")),
            ("/var/lib/ssh-doctor", &name),
            ("monitor!/etc/nagios4/monitor_key", &format!("root!{}", sshd.identity().display())),
            ("db1.corp.example", "127.0.0.1"),
        ],
    );
    fs::write(folder.path().join("objects.cfg"), objects).unwrap();
    fs::write(folder.path().join("templates.cfg"), NAGIOS_TEMPLATES).unwrap();
    let main = folder.path().join("nagios.cfg");
    fs::write(&main, NAGIOS_MAIN.replace("{0}", &name)).unwrap();
    successful(Command::new("/usr/sbin/nagios4").arg("-v").arg(&main));

    let _nagios = Running::start(Command::new("/usr/sbin/nagios4").arg(&main));
    let status = || fs::read_to_string(folder.path().join("status.dat")).unwrap_or_default();
    let outputs = || {
        let status = status();
        let outputs = status.lines().filter_map(|line| line.trim().strip_prefix("plugin_output=SSH OK - "));
        outputs.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    // The host, the session and the idle test.
    assert!(eventually(PATIENCE, || outputs().len() == 3), "{}", status());
    let status = status();
    let figures: Vec<_> = status.lines().filter_map(|line| line.trim().strip_prefix("performance_data=")).collect();
    assert!(figures.iter().any(|figures| figures.contains("handshake=") && figures.contains("auth=")), "{figures:?}");
    assert!(figures.iter().any(|figures| figures.contains("idle_survived=")), "{figures:?}");
}
