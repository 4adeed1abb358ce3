//! Which module of a crate uses which other.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Crate, ModulePath};
use super::names::{self, Import};
use super::uses::{self, Written};

/// The modules of a crate that have a file, and which of them use which. What a module brings in only to hand it on is
/// not a use: whoever names it there uses the module that defines it.
pub(crate) struct Graph {
    modules: BTreeMap<ModulePath, Module>,
    /// The modules of the macros that are named as if they stood in the root.
    exported_macros: BTreeMap<String, ModulePath>,
    /// The module that uses, the module that is used, and the name in it.
    uses: BTreeSet<(ModulePath, ModulePath, String)>,
}

#[derive(Default)]
struct Module {
    defines: BTreeSet<String>,
    /// The modules that it declares. One that has no file here is a module for tests, or one with a `path` of its own.
    declares: BTreeSet<String>,
    imports: Vec<Import>,
    /// Every name that it uses.
    names: BTreeSet<String>,
}

impl Graph {
    pub(crate) fn of(krate: &Crate) -> Self {
        let files = krate.files.iter().filter(|file| !file.is_of_tests());
        let mut modules: BTreeMap<ModulePath, Module> = BTreeMap::new();
        let mut exported_macros = BTreeMap::new();
        for file in files.clone() {
            let exported = names::exported_macros(&file.syntax.items).into_iter();
            exported_macros.extend(exported.map(|name| (name, file.module.clone())));
            let module = modules.entry(file.module.clone()).or_default();
            module.defines.extend(names::defined(&file.syntax.items));
            module.declares.extend(names::declared(&file.syntax.items));
            module.imports.extend(names::imports(&file.syntax.items));
            module.names.extend(names::used(&file.syntax));
        }
        let mut graph = Self {
            modules,
            exported_macros,
            uses: BTreeSet::new(),
        };
        for file in files {
            for written in uses::written(file) {
                graph.add(&file.module, &written);
            }
        }
        graph
    }

    /// Returns the items that the root of the crate defines itself and that modules use, each with the module.
    pub(crate) fn uses_of_the_root(&self) -> BTreeSet<(String, String)> {
        let root = self.modules.get(&Vec::new());
        let own = |name: &String| root.is_some_and(|root| root.defines.contains(name));
        let of_the_root = self.uses.iter().filter(|(_, to, name)| to.is_empty() && own(name));
        let named = of_the_root.filter_map(|(from, _, name)| Some((from.first()?.clone(), name.clone())));
        named.collect()
    }

    /// Returns how far below the root the deepest module is.
    pub(crate) fn depth(&self) -> usize {
        self.modules.keys().map(Vec::len).max().unwrap_or_default()
    }

    /// Returns the modules that each module uses. A module further than `depth` below the root counts as the module
    /// above it.
    pub(crate) fn to_depth(&self, depth: usize) -> BTreeMap<String, BTreeSet<String>> {
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to, _) in &self.uses {
            let [from, to] = [from, to].map(|module| module[..module.len().min(depth)].join("::"));
            if from != to {
                uses.entry(from).or_default().insert(to);
            }
        }
        uses
    }

    fn add(&mut self, file: &ModulePath, written: &Written) {
        let used_here = |import: &Import| match &import.name {
            Some(name) => self.modules[file].names.contains(name),
            None => false,
        };
        if written
            .import
            .as_ref()
            .is_some_and(|import| import.is_export && !used_here(import))
        {
            return;
        }
        let Some(path) = self.rooted(&written.module, &written.path) else {
            return;
        };
        if let Some((to, name)) = self.found(&path)
            && to != *file
        {
            self.uses.insert((file.clone(), to, name));
        }
    }

    /// Returns a path from the root of the crate. `None` if it names nothing of this crate.
    fn rooted(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut inside = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                inside.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            child => {
                inside.push(child.to_owned());
                let is_child = self.modules.contains_key(&inside);
                inside.pop();
                if !is_child {
                    return None;
                }
            }
        }
        while rest.first().is_some_and(|part| part == "super") {
            inside.pop();
            rest = &rest[1..];
        }
        inside.extend_from_slice(rest);
        Some(inside)
    }

    /// Returns the module that defines what a path from the root names, and the name; follows what modules hand on.
    /// `None` if it comes from another crate.
    fn found(&self, path: &[String]) -> Option<(ModulePath, String)> {
        self.follow(path, &mut BTreeSet::new())
    }

    fn follow(&self, path: &[String], seen: &mut BTreeSet<Vec<String>>) -> Option<(ModulePath, String)> {
        if !seen.insert(path.to_vec()) {
            return None;
        }
        let lengths = (0..=path.len()).rev();
        let module = lengths
            .map(|length| &path[..length])
            .find(|path| self.modules.contains_key(*path))?;
        let Some((name, rest)) = path[module.len()..].split_first() else {
            return Some((module.to_vec(), String::new()));
        };
        let here = &self.modules[module];
        if here.defines.contains(name) {
            return Some((module.to_vec(), name.clone()));
        }
        if here.declares.contains(name) {
            return None;
        }
        if let Some(of_macro) = self.exported_macros.get(name).filter(|_| module.is_empty()) {
            return Some((of_macro.clone(), name.clone()));
        }
        if let Some(import) = here.imports.iter().find(|import| import.name.as_ref() == Some(name)) {
            let target = self.rooted(module, &import.path)?;
            return self.follow(&[&target, rest].concat(), seen);
        }
        for glob in here.imports.iter().filter(|import| import.name.is_none()) {
            let target = self.rooted(module, &glob.path);
            let inner = target.map(|target| [&target, std::slice::from_ref(name), rest].concat());
            let found = inner.and_then(|inner| self.follow(&inner, seen));
            if let Some((to, name)) = found.filter(|(to, name)| self.modules[to].defines.contains(name)) {
                return Some((to, name));
            }
        }
        // A macro defines the name here, or an inline module of this file has it.
        Some((module.to_vec(), name.clone()))
    }
}
