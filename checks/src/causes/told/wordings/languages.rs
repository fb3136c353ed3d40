//! Messages of Windows about a missing program, in languages other than English: the program's name stands within the words.

use super::wording::Wordings;

pub(super) static WORDINGS: &[Wordings] = &[(
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
)];
