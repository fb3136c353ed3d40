//! Uses between files, from the file that writes a path to the one that defines its last name, re-exports resolved.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{ModulePath, Modules};

/// A file uses another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) line: usize,
    /// The file that defines the thing used.
    pub(super) to: String,
    /// True for `pub use`.
    pub(super) is_handed_on: bool,
    /// True for what is compiled for tests alone.
    pub(super) is_test: bool,
}

/// Every use of one file by another.
pub(super) fn arrows(modules: &Modules) -> BTreeSet<Arrow> {
    let mut arrows = BTreeSet::new();
    for (at, module) in modules {
        let imports = module.imports.iter().map(|it| (&it.path, it.line, it.is_handed_on, it.is_test));
        let written = module.paths.iter().map(|it| (&it.names, it.line, false, it.is_test));
        for (names, line, is_handed_on, is_test) in imports.chain(written) {
            // A module that is imported tells nothing yet: what is taken out of it does.
            let Some(to) = definition(modules, at, names).map(|path| &modules[&path].file) else { continue };
            if *to != module.file {
                let is_test = is_test || module.is_test;
                arrows.insert(Arrow { from: module.file.clone(), line, to: to.clone(), is_handed_on, is_test });
            }
        }
    }
    arrows
}

/// The module that defines what `names` leads to from `at`; none for another crate's, and for a module itself.
fn definition(modules: &Modules, at: &ModulePath, names: &[String]) -> Option<ModulePath> {
    find(modules, at, names, 0).filter(|found| found.is_item).map(|found| found.module)
}

struct Found {
    module: ModulePath,
    /// False for the module itself.
    is_item: bool,
}

fn find(modules: &Modules, at: &ModulePath, names: &[String], depth: usize) -> Option<Found> {
    /// Imports of imports: more in a row than any crate has are a cycle of them.
    const DEEPEST: usize = 16;
    if depth > DEEPEST {
        return None;
    }
    let mut current = at.clone();
    let mut names = names.iter();
    let mut first = names.next()?;
    match first.as_str() {
        "crate" => current.clear(),
        "self" => {}
        "super" => {
            while first == "super" {
                current.pop()?;
                let Some(next) = names.next() else { return Some(Found { module: current, is_item: false }) };
                first = next;
            }
            return walk(modules, current, std::iter::once(first).chain(names), depth);
        }
        _ => return walk(modules, current, std::iter::once(first).chain(names), depth),
    }
    walk(modules, current, names, depth)
}

fn walk<'n>(
    modules: &Modules,
    mut current: ModulePath,
    names: impl Iterator<Item = &'n String>,
    depth: usize,
) -> Option<Found> {
    let names: Vec<&String> = names.collect();
    for (at, name) in names.iter().enumerate() {
        let module = modules.get(&current)?;
        let child = [&current[..], &[(*name).clone()]].concat();
        let is_last = at + 1 == names.len();
        // A function and a module may have the same name: what is last is the function.
        if modules.contains_key(&child) && !(is_last && module.items.contains(*name)) {
            current = child;
            continue;
        }
        if module.items.contains(*name) {
            return Some(Found { module: current, is_item: true });
        }
        let rest: Vec<String> = names[at + 1..].iter().map(|name| (*name).clone()).collect();
        let named = module.imports.iter().filter(|import| import.alias == **name).map(|import| import.path.clone());
        let everything = module.imports.iter().filter(|import| import.alias == "*");
        let everything = everything.map(|import| [&import.path[..], &[(*name).clone()]].concat());
        let mut imported = named.chain(everything).filter(|path| *path != names_of(&current, name));
        return imported.find_map(|path| find(modules, &current, &[path, rest.clone()].concat(), depth + 1));
    }
    Some(Found { module: current, is_item: false })
}

fn names_of(current: &ModulePath, name: &str) -> Vec<String> {
    [&["crate".to_owned()], &current[..], &[name.to_owned()]].concat()
}

/// The files that use each other in a cycle, one set per cycle. Uses by tests and `pub use` do not count.
pub(super) fn cycles(arrows: &BTreeSet<Arrow>) -> Vec<BTreeSet<String>> {
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| arrow.is_use()) {
        uses.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reached = |from: &str| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = open.pop() {
            let next = uses.get(file.as_str()).into_iter().flatten().map(|next| (*next).to_owned());
            open.extend(next.filter(|next| reached.insert(next.clone())));
        }
        reached
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = uses.keys().map(|file| (*file, reached(file))).collect();
    let mut cycles = BTreeSet::new();
    for (file, ahead) in reached.iter().filter(|(file, ahead)| ahead.contains(**file)) {
        let back = |other: &&String| reached.get(other.as_str()).is_some_and(|ahead| ahead.contains(*file));
        cycles.insert(ahead.iter().filter(back).cloned().collect());
    }
    cycles.into_iter().collect()
}

impl Arrow {
    /// True for a use that is part of the program: not of tests, and not `pub use`.
    pub(super) fn is_use(&self) -> bool {
        !self.is_test && !self.is_handed_on
    }
}
