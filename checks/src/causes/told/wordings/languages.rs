//! Messages of Windows about a missing program in several languages: of ssh, whose name stands within the words, and of others.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[
    ("session-command-missing", NOT_RECOGNIZED),
    (
        "config-client-missing",
        &[
            "'ssh' n'est pas reconnu en tant que",
            "terme 'ssh' n'est pas reconnu",
            "terme «ssh» n'est pas reconnu",
            "Der Befehl \"ssh\" ist entweder falsch geschrieben",
            "Die Benennung \"ssh\" wurde nicht als Name",
            "\"ssh\" no se reconoce como un comando",
            "término 'ssh' no se reconoce",
            "\"ssh\" non è riconosciuto come comando",
            "Termine 'ssh' non riconosciuto",
            "'ssh' não é reconhecido",
            "O termo 'ssh' não é reconhecido",
            "\"ssh\" не является внутренней или внешней",
            "'ssh' 不是内部或外部命令",
            "无法将\"ssh\"项识别为",
        ],
    ),
];

/// Messages of a Windows server's shell about the command that a client runs, which a client's own shell prints as well.
pub(in crate::causes::told) const NOT_RECOGNIZED: &[&str] = &[
    "is not recognized as an internal or external",
    "ist entweder falsch geschrieben oder",
    "n'est pas reconnu en tant que",
    "no se reconoce como un comando",
    "non è riconosciuto come comando",
    "não é reconhecido como",
    "wordt niet herkend als een interne",
    "не является внутренней или внешней",
    "不是内部或外部命令",
];
