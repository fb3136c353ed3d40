//! The modules of a crate as its files declare them: what each defines and imports, and every path that it writes.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, tokens};

/// The place of a module in its crate: the names from the root down.
pub(super) type ModulePath = Vec<String>;

/// One module, in a file of its own or inside one.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The file, below the crate's `src`.
    pub(super) file: String,
    /// True for a module that is compiled for tests alone.
    pub(super) is_test: bool,
    /// The names that it defines, modules left out.
    pub(super) items: BTreeSet<String>,
    /// Its `use` lines.
    pub(super) imports: Vec<Import>,
    /// Every path of two names and more outside of imports.
    pub(super) paths: Vec<Written>,
}

/// One name that a `use` line brings in.
#[derive(Debug)]
pub(super) struct Import {
    /// Its name here; `*` for everything.
    pub(super) alias: String,
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// True for `pub use`, whatever its reach.
    pub(super) is_handed_on: bool,
    /// True for what is compiled for tests alone.
    pub(super) is_test: bool,
}

/// A path in the text.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) names: Vec<String>,
    pub(super) line: usize,
    /// True for what is compiled for tests alone.
    pub(super) is_test: bool,
}

/// The modules of a crate.
pub(super) type Modules = BTreeMap<ModulePath, Module>;

/// Reads the files of a crate, each with its path below `src`.
pub(super) fn read<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Modules {
    let (mut modules, mut of_tests) = (Modules::new(), BTreeSet::new());
    for (file, text) in files {
        let tokens = tokens(text);
        Reader { file, tokens: &tokens, at: 0, modules: &mut modules, of_tests: &mut of_tests }
            .module(module_of(file), false);
    }
    // A module that is declared for tests has its text in another file than the declaration.
    for (path, module) in &mut modules {
        module.is_test |= (0..=path.len()).any(|length| of_tests.contains(&path[..length]));
    }
    modules
}

/// The module whose text a file is.
fn module_of(file: &str) -> ModulePath {
    let stem = file.trim_end_matches(".rs");
    let mut path: ModulePath = stem.split('/').map(ToOwned::to_owned).collect();
    if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
        path.pop();
    }
    path
}

/// Words that a name follows which the module defines.
const DEFINING: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];

struct Reader<'r> {
    file: &'r str,
    tokens: &'r [Token],
    at: usize,
    modules: &'r mut Modules,
    of_tests: &'r mut BTreeSet<ModulePath>,
}

impl Reader<'_> {
    /// Reads a module to its closing brace or the file's end.
    fn module(&mut self, path: ModulePath, is_test: bool) {
        let mut module = Module { file: self.file.to_owned(), is_test, ..Module::default() };
        // How deep in braces and parentheses, and what the words before this one said of the item to come.
        let (mut depth, mut handed_on, mut for_tests) = (0_usize, false, None);
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" if depth == 0 => break,
                "}" | ")" | "]" => depth = depth.saturating_sub(1),
                "#" => {
                    if self.attribute() {
                        for_tests.get_or_insert(depth);
                    }
                    continue;
                }
                "pub" => {
                    handed_on = true;
                    if self.is_next("(") {
                        self.skip_group();
                    }
                    continue;
                }
                "use" => self.import(&[], (handed_on, for_tests.is_some()), &mut module.imports),
                "mod" => {
                    let child = [&path[..], &[self.next().text]].concat();
                    if self.is_next("{") {
                        self.at += 1;
                        self.module(child, is_test || for_tests.is_some());
                    } else if for_tests.is_some() {
                        self.of_tests.insert(child);
                    }
                    for_tests = None;
                }
                // A constant function is told by the word behind.
                word if DEFINING.contains(&word) && depth == 0 && !self.is_next("fn") => {
                    let name = self.next().text;
                    module.items.insert(name);
                }
                _ if token.is_name() => self.path(token, for_tests.is_some(), &mut module.paths),
                _ => {}
            }
            handed_on = false;
            // Here an item ends.
            if matches!(token.text.as_str(), ";" | "}") && for_tests == Some(depth) {
                for_tests = None;
            }
        }
        self.modules.insert(path, module);
    }

    /// Reads an attribute; whether it is `cfg(test)`.
    fn attribute(&mut self) -> bool {
        let began = self.at;
        if self.is_next("!") {
            self.at += 1;
        }
        self.skip_group();
        let words: String = self.tokens[began..self.at].iter().map(|token| token.text.as_str()).collect();
        words == "[cfg(test)]"
    }

    /// Reads one name of a path and those behind it; notes it where there are two or more.
    fn path(&mut self, first: &Token, is_test: bool, paths: &mut Vec<Written>) {
        let mut names = vec![first.text.clone()];
        while self.is_next("::") && self.tokens.get(self.at + 1).is_some_and(Token::is_name) {
            names.push(self.tokens[self.at + 1].text.clone());
            self.at += 2;
        }
        if names.len() > 1 {
            paths.push(Written { names, line: first.line, is_test });
        }
    }

    /// Reads what `use` brings in from below the path `before`.
    fn import(&mut self, before: &[String], (is_handed_on, is_test): (bool, bool), imports: &mut Vec<Import>) {
        let mut path = before.to_vec();
        loop {
            let Token { text, line } = self.next();
            match text.as_str() {
                "{" => {
                    while !self.is_next("}") {
                        self.import(&path, (is_handed_on, is_test), imports);
                        if self.is_next(",") {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => return imports.push(Import { alias: text, path, line, is_handed_on, is_test }),
                "::" => {}
                _ => {
                    // `use path::{self}` names the path itself.
                    if text != "self" || path.is_empty() {
                        path.push(text);
                    }
                    if self.is_next("::") {
                        continue;
                    }
                    let mut alias = path.last().cloned().unwrap_or_default();
                    if self.is_next("as") {
                        self.at += 1;
                        alias = self.next().text;
                    }
                    return imports.push(Import { alias, path, line, is_handed_on, is_test });
                }
            }
        }
    }

    /// Passes over what is between brackets.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.text.as_str() {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn is_next(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.text == text)
    }

    fn next(&mut self) -> Token {
        let token = self.tokens.get(self.at).unwrap_or_else(|| panic!("{} ends in the middle of an item", self.file));
        self.at += 1;
        token.clone()
    }
}
