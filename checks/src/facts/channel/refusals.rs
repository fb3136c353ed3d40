//! Refusals of commands, in the words of scripts in front of keys.

/// True if a text, escaped or not, and in lower case, refuses commands. Limits of sessions and schedules do not count.
pub(super) fn refuses(text: &str) -> bool {
    /// Words of scripts, and of limits and schedules too: those speak of no commands.
    const VAGUE: [&str; 7] = [
        "is allowed here",
        "is allowed on this host",
        "are allowed here",
        "not allowed here",
        "only allows",
        "request denied",
        "request rejected",
    ];
    const OF_COMMANDS: [&str; 5] = ["command", " key ", "shell", "scp", "rsync"];
    let contains_any = |words: &[&str]| words.iter().any(|words| text.contains(words));
    is_a_no(text) || contains_any(&VAGUE) && contains_any(&OF_COMMANDS)
}

/// True if a refusal is the whole of a text. Errors of a system are left out: cmd.exe and Perl print those without a program's name.
fn is_a_no(text: &str) -> bool {
    const NO: [&str; 15] = [
        "denied",
        "rejected",
        "refused",
        "forbidden",
        "disallowed",
        "not allowed",
        "unauthorized",
        "unauthorised",
        "no access",
        "not permitted",
        "not authorized",
        "not authorised",
        "prohibited",
        "sorry, not permitted",
        "sorry, not allowed",
    ];
    const PURPOSES: [&str; 8] =
        ["backup", "backups", "rsync", "rrsync", "deploy", "deployment", "deployments", "forwarding"];
    let whole = whole(text);
    let is_only = whole.strip_suffix(" only").is_some_and(|purpose| PURPOSES.contains(&purpose));
    NO.contains(&whole) || is_only
}

/// Returns a text without the signs around it.
pub(super) fn whole(text: &str) -> &str {
    text.trim_end_matches("\\n").trim_matches(|letter: char| !letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::refuses;

    #[test]
    fn a_refusal_alone_is_known() {
        for refusal in [
            "sorry, not permitted.\\n",
            "sorry, not permitted.\n",
            "backup only\\n",
            "only rsync is allowed on this host\\n",
        ] {
            assert!(refuses(refusal), "{refusal}");
        }
    }

    #[test]
    fn errors_of_systems_and_legal_notices_are_no_refusals() {
        for error in [
            // Errors of cmd.exe, of musl and of Perl, without a name.
            "access is denied.",
            "zugriff verweigert",
            "accès refusé.",
            "acceso denegado.",
            "odmowa dostępu.",
            "拒绝访问。",
            "permission denied",
            "not supported",
            // Errors that speak of commands and shells.
            "timeout: fallo al ejecutar la orden '/opt/borg': permiso denegado",
            "timeout: impossibile eseguire il comando '/opt/borg': permesso negato",
            "timeout: kan commando '/opt/borg' niet uitvoeren: toegang geweigerd",
            "bash: línea 1: /opt/loginshell: permiso denegado",
            ".bashrc: línea 3: /etc/comandos.sh: permiso denegado",
            "/opt/backup-shell: ligne 3: connect: connexion refusée",
            "command failed: operation not permitted",
            "bash: borg: orden no encontrada\nbash: /srv/x: permiso denegado",
            // Legal notices.
            "unauthorized use of this system is prohibited.\nuse the command 'module avail'\n/etc/bashrc: line 9: /opt/env.sh: no space left on device",
            "all commands are logged. unauthorized access is prohibited.",
            "alle befehle werden protokolliert. unbefugte nutzung ist verboten.",
            "所有命令均被记录，未授权访问被禁止",
            "authorized users only",
            // Words that may mean anything.
            "go away",
            "nope",
            // Limits.
            "only one session per user is allowed on this host.",
            "your ip address 192.0.2.7 is not in the whitelist.",
        ] {
            for end in ["", "\n", "\\n"] {
                let text = format!("{error}{end}");
                assert!(!refuses(&text) && !refuses(&text.replace('\n', "\\n")), "{text}");
            }
        }
    }
}
