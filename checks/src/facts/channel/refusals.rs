//! Refusals of commands, in the words of scripts in front of keys and accounts.

/// True if a text, escaped and in lower case, refuses a command, and not a session for want of room or time.
pub(super) fn refuses(text: &str) -> bool {
    /// Words of scripts, and of limits and schedules too: those speak of no commands.
    const VAGUE: [&str; 6] = [
        "is allowed here",
        "are allowed here",
        "not allowed here",
        "only allows",
        "request denied",
        "request rejected",
    ];
    const OF_COMMANDS: [&str; 5] = ["command", " key ", "shell", "scp", "rsync"];
    let contains_any = |words: &[&str]| words.iter().any(|words| text.contains(words));
    is_a_no(text) || contains_any(&VAGUE) && contains_any(&OF_COMMANDS) || text.split("\\n").any(refuses_in_a_language)
}

/// True if a refusal is the whole of a text. The kernel's words (errno(3)) come with a program's name before them.
fn is_a_no(text: &str) -> bool {
    const NO: [&str; 22] = [
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
        "not supported",
        "unsupported",
        "unsupported operation",
        "prohibited",
        "permission denied",
        "nope",
        "no way",
        "go away",
        "sorry, not permitted",
        "sorry, not allowed",
    ];
    const PURPOSES: [&str; 8] =
        ["backup", "backups", "rsync", "rrsync", "deploy", "deployment", "deployments", "forwarding"];
    let whole = text.trim_end_matches("\\n").trim_matches(|letter: char| !letter.is_alphabetic());
    let is_only = whole.strip_suffix(" only").is_some_and(|purpose| PURPOSES.contains(&purpose));
    NO.contains(&whole) || NO_IN_LANGUAGES.contains(&whole) || is_only
}

/// "Access denied" in other languages; legal notices have the same words within longer lines.
const NO_IN_LANGUAGES: [&str; 20] = [
    "zugriff verweigert",
    "kein zugriff",
    "nicht erlaubt",
    "verboten",
    "accès refusé",
    "accès interdit",
    "interdit",
    "acceso denegado",
    "no permitido",
    "prohibido",
    "acesso negado",
    "accesso negato",
    "toegang verboden",
    "odmowa dostępu",
    "přístup odepřen",
    "åtkomst nekad",
    "доступ запрещён",
    "доступ запрещен",
    "拒绝访问",
    "アクセス拒否",
];

/// Words of a language for a command, and for a refusal.
struct Language {
    things: &'static [&'static str],
    refusals: &'static [&'static str],
}

/// In lower case. No pair of them stands in glibc's translations of errno(3), nor in a shell's of "command not found".
const LANGUAGES: [Language; 17] = [
    // English
    Language {
        things: &["command", "to 'exec'", "to exec"],
        refusals: &["not permitted", "not granted", "not authorized", "not authorised", "prohibited", "is forbidden"],
    },
    // German
    Language {
        things: &["befehl", "kommando", "shell"],
        refusals: &[
            "nicht erlaubt",
            "nicht gestattet",
            "nicht zugelassen",
            "zulässig",
            "verboten",
            "verweigert",
            "abgelehnt",
            "ungültig",
            "unbekannt",
        ],
    },
    // French
    Language {
        things: &["commande", "shell"],
        refusals: &["interdit", "non autorisé", "pas autorisé", "refusé", "pas permis", "invalide", "inconnue"],
    },
    // Spanish
    Language {
        things: &["comando", "orden", "shell"],
        refusals: &[
            "no permitid",
            "no está permitid",
            "no autorizad",
            "no está autorizad",
            "denegad",
            "prohibid",
            "rechazad",
            "no válid",
            "desconocid",
        ],
    },
    // Portuguese
    Language {
        things: &["comando", "shell"],
        refusals: &[
            "não permitid",
            "não é permitid",
            "não autorizad",
            "negad",
            "proibid",
            "recusad",
            "inválid",
            "desconhecid",
        ],
    },
    // Italian
    Language {
        things: &["comando", "shell"],
        refusals: &[
            "non consentit",
            "non permess",
            "non è permess",
            "non autorizzat",
            "negat",
            "vietat",
            "rifiutat",
            "non valid",
            "sconosciut",
        ],
    },
    // Dutch
    Language {
        things: &["opdracht", "commando", "shell"],
        refusals: &["niet toegestaan", "geweigerd", "verboden", "ongeldig", "onbekend"],
    },
    // Polish
    Language {
        things: &["poleceni", "komend", "shell"],
        refusals: &["niedozwolon", "zabronion", "odmow", "odrzucon", "nieprawidłow", "nieznan"],
    },
    // Czech and Slovak
    Language {
        things: &["příkaz", "príkaz"],
        refusals: &["zakázán", "zakázan", "povolen", "odmítnut", "odepřen", "zamietnut", "neznám"],
    },
    // Swedish, Danish and Norwegian
    Language {
        things: &["kommando"],
        refusals: &[
            "inte tillåt",
            "nekad",
            "förbjud",
            "ikke tillat",
            "ikke tilladt",
            "avvist",
            "afvist",
            "ogiltig",
            "okän",
            "ugyldig",
        ],
    },
    // Finnish and Hungarian
    Language {
        things: &["komento", "parancs"],
        refusals: &["ei sallit", "ei ole sallit", "kielletty", "nem engedélyezett", "tiltott", "megtagad"],
    },
    // Turkish
    Language { things: &["komut"], refusals: &["izin veril", "yasak", "reddedil", "geçersiz"] },
    // Russian, Ukrainian and Bulgarian
    Language {
        things: &["команд"],
        refusals: &["запрещ", "не разреш", "отклон", "недопустим", "неизвестн", "заборон", "не дозвол", "забранен"],
    },
    // Greek, Hebrew and Arabic
    Language {
        things: &["εντολή", "פקודה", "الأمر"],
        refusals: &["δεν επιτρέπεται", "απαγορεύεται", "אסור", "לא מורש", "לא מותר", "غير مسموح", "مرفوض", "ممنوع"],
    },
    // Chinese
    Language {
        things: &["命令", "指令"],
        refusals: &[
            "不允许",
            "不被允许",
            "禁止",
            "拒绝",
            "未授权",
            "无效",
            "不允許",
            "不被允許",
            "拒絕",
            "未授權",
            "無效",
        ],
    },
    // Japanese
    Language {
        things: &["コマンド"],
        refusals: &["許可され", "禁止", "拒否", "実行できません", "使用できません", "無効"],
    },
    // Korean
    Language { things: &["명령"], refusals: &["허용되지", "거부", "금지", "허가되지", "잘못된"] },
];

/// True if a line refuses a command or the access, in one of the languages, and which the kernel does not.
fn refuses_in_a_language(line: &str) -> bool {
    /// What the kernel says of an operation.
    const KERNELS: &str = "operation not permitted";
    let contains_any = |words: &[&str]| words.iter().any(|words| line.contains(words));
    let is_refused = |language: &Language| contains_any(language.things) && contains_any(language.refusals);
    !line.contains(KERNELS) && LANGUAGES.iter().any(is_refused)
}

#[cfg(test)]
mod tests {
    use super::refuses;

    #[test]
    fn refusals_are_known_in_many_languages() {
        for refusal in [
            "befehl nicht erlaubt\\n",
            "zugriff verweigert.\\n",
            "拒绝访问。\\n",
            "commande interdite\\n",
            "accès refusé : cette commande n'est pas autorisée\\n",
            "acceso denegado: comando no permitido\\n",
            "comando não permitido para esta chave\\n",
            "comando non consentito\\n",
            "deze opdracht is niet toegestaan\\n",
            "polecenie niedozwolone\\n",
            "příkaz není povolen\\n",
            "kommandot är inte tillåtet\\n",
            "komento ei ole sallittu\\n",
            "bu komuta izin verilmiyor\\n",
            "команда запрещена\\n",
            "不允许执行该命令\\n",
            "このコマンドは許可されていません\\n",
            "명령이 거부되었습니다\\n",
            "access to 'exec' is not granted\\n",
            "sorry, not permitted.\\n",
            "backup only\\n",
            "nope\\n",
        ] {
            assert!(refuses(refusal), "{refusal}");
        }
    }

    #[test]
    fn errors_of_the_system_are_no_refusals() {
        for error in [
            // EPERM and EACCES in glibc's translations, and a command that is not found.
            "bash: /etc/profile.d/x.sh: keine berechtigung\\n",
            "mount: die operation ist nicht erlaubt\\n",
            "bash: zeile 1: borg: kommando nicht gefunden.\\n",
            "bash: opération non permise\\n",
            "bash: borg : commande introuvable\\n",
            "sh: permiso denegado\\n",
            "sh: operación no permitida\\n",
            "bash: borg: orden no encontrada\\n",
            "sh: permissão negada\\n",
            "sh: operação não permitida\\n",
            "sh: permesso negato\\n",
            "sh: toegang geweigerd\\n",
            "sh: brak dostępu\\n",
            "sh: отказано в доступе\\n",
            "sh: borg: команда не найдена\\n",
            "sh: 不允许的操作\\n",
            "bash: borg: 未找到命令\\n",
            "sh: 許可されていない操作です\\n",
            "sh: 명령을 허용하지 않음\\n",
            "bash: borg: 명령어를 찾을 수 없음\\n",
            "sh: /bin/x: permission denied\\n",
            "command failed: operation not permitted\\n",
            // Legal notices.
            "unauthorized access to this system is prohibited\\n",
            "authorized users only\\n",
            "unbefugter zugriff ist verboten\\n",
            "accès interdit aux personnes non autorisées\\n",
            "未授权访问被禁止\\n",
            "file system is read only\\n",
        ] {
            assert!(!refuses(error), "{error}");
        }
    }
}
