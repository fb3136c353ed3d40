//! Messages of shells and Windows about a missing program, in languages other than English.

use super::wording::Wordings;

/// Messages of shells about any command, of SSH or not.
pub(in crate::causes::told) const COMMAND_MISSING: &[&str] = &[
    ": Kommando nicht gefunden",
    ": Befehl nicht gefunden",
    ": commande introuvable",
    ": orden no encontrada",
    ": comando non trovato",
    ": comando não encontrado",
    ": opdracht niet gevonden",
    ": команда не найдена",
    ": 未找到命令",
    ": コマンドが見つかりません",
];

pub(super) static WORDINGS: &[Wordings] = &[
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
            "无法将“ssh”项识别为",
        ],
    ),
    ("session-command-missing", COMMAND_MISSING),
];
