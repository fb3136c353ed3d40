//! All that the user asked for, resolved: the settings are those that `ssh` itself would use for each target.

mod configuration;
mod describe;
mod destination;
mod flags;
mod forwardings;
pub(crate) mod fuzz;
mod host_keys;
mod ipqos;
mod jumps;
mod kerberos;
mod ledger;
mod local;
mod origin;
mod own;
mod proxy;
mod raw;
mod resolve;
mod secret;
mod selection;
mod settings_cache;
mod ssh_g;
mod tokens;
mod unhonoured;

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use secrecy::SecretString;
use ssh_doctor_checks::base::limits::Limits;
use ssh_doctor_checks::base::masking::holds_password;
use ssh_doctor_checks::base::service::Service;
use ssh_doctor_checks::base::target::Target;
use ssh_doctor_checks::base::text::sanitize;
use ssh_doctor_checks::facts::Check;
use tokio::sync::OnceCell;

use crate::cli::{CheckArgs, Format, Scope, SshFlags};
use crate::terminal::reason;
use destination::{Destination, valid_user};
use local::Local;
use raw::Raw;
use settings_cache::{Asked, SettingsCache, SshSettings};
use ssh_g::{NotAnswered, Refused};

/// The settings of a run: those that hold for every target, and the step from a target's name to its plan.
#[derive(Debug)]
pub struct Plan {
    /// The checks that run on each target.
    pub checks: BTreeSet<Check>,
    flags: SshFlags,
    local: Local,
    password: Option<SecretString>,
    password_file: Option<PathBuf>,
    person: bool,
    idle: Duration,
    sessions: usize,
    deep: bool,
    timeout: Option<StageBound>,
    server: bool,
    plain: bool,
    with_ssh: bool,
    expected: Vec<Service>,
    /// True if nothing but patience bounds the wait for a silent server.
    has_time: bool,
    /// ssh's settings for other targets, where there are several.
    cache: Option<SettingsCache>,
    defaults: OnceCell<Raw>,
}

/// The source of a limit that nobody has set.
const OURS: &str = "the doctor's own";

/// One target, and its limits.
#[derive(Debug)]
pub struct Planned {
    /// The target to examine.
    pub target: Target,
    /// The limits of its examination.
    pub limits: Limits,
    /// The reason for which ssh rejects its settings for it, in one sentence; `None` where it does not.
    pub refused: Option<String>,
}

/// The circumstances of a run that its options do not tell.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// True if somebody at a terminal can be asked.
    pub person: bool,
    /// True if there are several targets: then no idle test runs unless it was asked for.
    pub several: bool,
    /// The time for each stage where the whole run has a deadline.
    pub stage: Option<Duration>,
    /// True if the report is a scrape of metrics, which has no time for an idle test unless it was asked for.
    pub is_for_metrics: bool,
}

/// A bound on each stage, and the option that it comes from.
#[derive(Debug, Clone, Copy)]
struct StageBound {
    time: Duration,
    from: &'static str,
}

impl Planned {
    /// Bounds each stage, where nothing shorter does; `from` says by whose wish.
    pub(crate) fn bound_stages(&mut self, stage: Duration, from: &str) {
        self.limits.stage = self.limits.stage.min(stage);
        if stage < self.limits.connect {
            self.limits.connect = stage;
            self.limits.first_word = None;
            self.target.settings.connect_timeout_s = Some(stage.as_secs_f64());
            from.clone_into(&mut self.target.settings.connect_timeout_from);
        }
    }
}

/// The login name, the host and the port that a target names.
pub(crate) fn parts(input: &str) -> Result<(Option<String>, String, Option<u16>)> {
    let Destination { user, host, port } = Destination::parse(input)?;
    Ok((user, host, port))
}

impl Plan {
    /// Reads the options and the files that they name; an error is one sentence about the usage error.
    pub fn new(args: &CheckArgs, circumstances: Circumstances) -> Result<Self> {
        // In the other formats, one that cannot be used has a report.
        if args.output.format == Format::Text {
            for input in &args.targets {
                destination(input, &args.ssh)?;
            }
        }
        can_be_written(args, args.record.as_deref(), "--record")?;
        can_be_written(args, args.bundle.as_deref(), "--bundle")?;
        let password = secret::password(args.password_file.as_deref())?;
        Ok(Self { password, plain: args.record_plain, ..Self::with(&args.scope, &args.ssh, None, circumstances)? })
    }

    /// Reads the options of a service, which reads the password from its file for each target.
    pub(crate) fn with(
        scope: &Scope,
        flags: &SshFlags,
        password_file: Option<&Path>,
        circumstances: Circumstances,
    ) -> Result<Self> {
        let Circumstances { person, several, stage, is_for_metrics } = circumstances;
        let idle = scope.idle(several || stage.is_some() || is_for_metrics);
        let checks = selection::selected(scope, idle)?;
        files_can_be_used(flags)?;
        let asked = scope.timeout.map(|time| StageBound { time, from: "--timeout" });
        let within = stage.map(|time| StageBound { time, from: "--deadline" });
        Ok(Self {
            checks,
            flags: flags.with_others(),
            local: Local::here(),
            password: None,
            password_file: password_file.map(ToOwned::to_owned),
            person,
            idle,
            sessions: scope.sessions.into(),
            deep: scope.deep,
            timeout: asked.or(within),
            server: scope.server,
            plain: false,
            with_ssh: scope.with_ssh,
            expected: scope.expect.clone(),
            has_time: !several && !is_for_metrics,
            cache: several.then(SettingsCache::default),
            defaults: OnceCell::new(),
        })
    }

    /// Resolves one target with the settings that ssh would use for it; an error is one sentence about what cannot be used.
    pub async fn resolve(&self, input: &str) -> Result<Planned> {
        let destination = destination(input, &self.flags)?;
        self.resolved(input, &destination).await
    }

    async fn resolved(&self, input: &str, destination: &Destination) -> Result<Planned> {
        let Self { flags, local, .. } = self;
        let login = flags.login.as_deref().or(destination.user.as_deref());
        let (port, host) = (flags.port.or(destination.port), destination.host.as_str());
        let asked = Asked { flags, local, defaults: self.defaults().await, login, port, host };
        let answered = match &self.cache {
            Some(cache) => cache.ask(&asked).await?,
            None => asked.ssh().await?,
        };
        let SshSettings { raw, settings, server_alive_from } = match answered {
            Ok(answer) => answer,
            Err(NotAnswered::NoSsh) => asked.answer(flags::read(flags, login, port)?),
            Err(NotAnswered::Refused(refused)) => return Ok(self.refused(input, destination, *refused)),
        };
        let of_proxy = ["proxycommand", "proxyjump"].into_iter().filter_map(|keyword| raw.set(keyword));
        if let Some(said) = of_proxy.filter(|_| raw.expanded).find_map(tokens::refusal_of_proxy) {
            return Ok(self.refused(input, destination, Refused::saying(&raw, said)));
        }
        if raw.expanded
            && let Some(refused) = ssh_g::refusal_of_files(&raw, local, (flags, login, port, host)).await?
        {
            return Ok(self.refused(input, destination, refused));
        }
        ensure!(
            raw.expanded || raw.set("proxyjump").is_none(),
            "{} is behind a jump host, which takes an ssh to go through, and none is installed; install the OpenSSH client",
            sanitize(host)
        );
        let given = resolve::Given {
            input,
            alias: host,
            flags,
            local,
            password: self.password()?,
            person: self.person,
            defaults: asked.defaults,
            settings,
            server_alive_from,
            ticket: raw.flag("gssapiauthentication", false) && kerberos::has_ticket(local).await,
            plain: self.plain,
            arguments: ssh_g::arguments(flags, login, port, host),
        };
        let mut target =
            resolve::target(&raw, given).with_context(|| format!("the settings for {} are wrong", sanitize(host)))?;
        if let Some(proxy) = &mut target.proxy {
            let config = flags.config.as_deref();
            match jumps::resolve(&proxy.hops, config, local, self.person, asked.defaults).await? {
                Ok(jumps) => proxy.jumps = jumps,
                Err(endless) => return Ok(self.refused(input, destination, Refused::looping(&raw, endless))),
            }
        }
        let connect_timeout =
            raw.set("connecttimeout").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let (connect, from) = self.connect(connect_timeout.filter(|timeout| !timeout.is_zero()));
        let limits =
            Limits { first_word: (from == OURS && self.has_time).then_some(Limits::AS_SSH), ..self.limits(connect) };
        target.settings.connect_timeout_s = Some(connect.as_secs_f64());
        from.clone_into(&mut target.settings.connect_timeout_from);
        Ok(Planned { target, limits, refused: None })
    }

    /// A target of which ssh's settings lead nowhere.
    fn refused(&self, input: &str, destination: &Destination, refused: Refused) -> Planned {
        let limits = self.limits(Limits::default().connect);
        let sentence = Some(refused.sentence(&destination.host));
        let target = own::refused(input, destination, &self.flags, &self.local, refused);
        let flags = resolve::led_by(&self.flags, input, target.port, &target.user, false);
        let target = Target { flags, ..target };
        Planned { target, limits, refused: sentence }
    }

    fn password(&self) -> Result<Option<SecretString>> {
        match &self.password_file {
            Some(file) => secret::password(Some(file)),
            None => Ok(self.password.clone()),
        }
    }

    /// ssh's own defaults, asked for once.
    async fn defaults(&self) -> &Raw {
        self.defaults.get_or_init(ssh_g::defaults).await
    }

    /// Sessions that are held at the same time by the idle test.
    #[must_use]
    pub fn sessions_held(&self) -> usize {
        if self.idle.is_zero() { 0 } else { self.sessions }
    }

    /// A sentence where no idle test runs because there are several targets.
    #[must_use]
    pub fn idle_note(&self, scope: &Scope) -> Option<&'static str> {
        let left_out = self.cache.is_some() && scope.idle.is_none() && self.idle.is_zero() && scope.wants(Check::Idle);
        left_out.then_some("Not tested: idle time (several targets); --idle 6m tests it.")
    }

    /// Returns the time limit for connecting, and its source.
    fn connect(&self, configured: Option<Duration>) -> (Duration, &'static str) {
        match (configured, self.timeout) {
            (Some(configured), bound) if bound.is_none_or(|bound| configured <= bound.time) => {
                (configured, "ConnectTimeout")
            }
            (_, Some(bound)) => (bound.time, bound.from),
            (_, None) => (Limits::default().connect, OURS),
        }
    }

    fn limits(&self, connect: Duration) -> Limits {
        let usual = Limits::default();
        Limits {
            connect,
            stage: self.timeout.map_or(usual.stage, |bound| bound.time),
            idle: self.idle,
            sessions: self.sessions,
            deep: self.deep,
            ask_server: self.server,
            plain: self.plain,
            with_ssh: self.with_ssh,
            expected: self.expected.clone(),
            ..usual
        }
    }
}

/// The target taken apart; flags must not contradict it.
fn destination(input: &str, flags: &SshFlags) -> Result<Destination> {
    let destination = Destination::parse(input)?;
    if let (Some(flag), Some(port)) = (flags.port, destination.port) {
        ensure!(flag == port, "'{}' names port {port} and -p names {flag}; drop one of them", sanitize(input));
    }
    if let Some(flag) = &flags.login {
        valid_user(flag, flag)?;
        if let Some(user) = destination.user.as_ref().filter(|user| *user != flag) {
            bail!(
                "'{}' names the login {} and -l names {}; drop one of them",
                sanitize(input),
                sanitize(user),
                sanitize(flag)
            );
        }
    }
    Ok(destination)
}

/// Refuses files that could not be used later on, before a long examination begins.
fn files_can_be_used(flags: &SshFlags) -> Result<()> {
    let values = flags.options.iter().chain(&flags.config).chain(&flags.jump).chain(&flags.identities);
    for value in values {
        ensure!(!value.is_empty(), "an option of ssh (-o, -i, -F or -J) is empty; give it a value or drop it");
        ensure!(
            !holds_password(value),
            "an option of ssh (-J or -o) holds a password; leave it out, ssh does not use it"
        );
        ensure!(
            !value.contains(char::is_control),
            "'{}' holds a control character; check the quoting",
            sanitize(value)
        );
    }
    if let Some(config) = flags.config.as_deref().filter(|config| *config != "none") {
        // One that does not exist, or that may not be read, ssh refuses: that has a report.
        let config = Path::new(config);
        ensure!(!config.is_dir(), "the configuration file (-F) {} is a folder; give a file", config.display());
        ensure!(
            ends_for_ssh(config),
            "the configuration file (-F) {} is a device or a named pipe; give a plain file",
            config.display()
        );
    }
    for identity in flags.identities.iter().filter(|identity| *identity != "none") {
        let path = tokens::tilde(identity, &Local::here())?;
        // ssh takes the public half alone where the agent holds the private one.
        if !Path::new(&format!("{path}.pub")).exists() || Path::new(&path).exists() {
            readable(Path::new(&path), "the identity file (-i)")?;
        }
    }
    Ok(())
}

/// Neither a device, which may never end, nor a pipe that a writer may never open; that of a process substitution is open already.
fn ends_for_ssh(config: &Path) -> bool {
    let Ok(kind) = config.metadata().map(|metadata| metadata.file_type()) else { return true };
    let is_open =
        config.starts_with("/dev/fd") || config.starts_with("/proc/self/fd") || config == Path::new("/dev/stdin");
    kind.is_file() || config == Path::new("/dev/null") || is_open && !kind.is_char_device()
}

/// Refuses a file that could not be written in the end.
fn can_be_written(args: &CheckArgs, file: Option<&Path>, option: &str) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    let (name, one) = (file.display(), args.targets.len() == 1 && args.many.list.is_none());
    ensure!(one, "{option} keeps the evidence of one target; examine one at a time with it");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "{option} cannot write {name}: there is no folder {}", folder.display());
    ensure!(!file.is_dir(), "{option} needs a file, and {name} is a folder");
    ensure!(!file.exists() || file.is_file(), "{option} cannot replace {name}: it is not a plain file");
    Ok(())
}

fn readable(path: &Path, what: &str) -> Result<()> {
    let metadata = std::fs::metadata(path);
    // A pipe is left for ssh to read: it can be read once only.
    let opened = metadata.and_then(
        |metadata| {
            if metadata.is_file() { File::open(path).map(|_| metadata) } else { Ok(metadata) }
        },
    );
    match opened {
        Ok(metadata) if metadata.is_dir() => bail!("{what} {} is a folder; give a file", path.display()),
        Ok(_) => Ok(()),
        Err(error) => bail!("{what} {} cannot be read: {}; check its name and mode", path.display(), reason(&error)),
    }
}
