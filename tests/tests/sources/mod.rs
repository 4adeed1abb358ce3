//! Reads the sources of a crate: which module uses which, and how long things are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Macro, UseTree};

/// The sources of one crate, without its tests and benchmarks.
pub(crate) struct Crate {
    pub(crate) files: Vec<SourceFile>,
}

pub(crate) struct SourceFile {
    /// The path from the root of the workspace.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The path of the module. Empty for the root of the crate.
    module: Vec<String>,
    syntax: File,
}

/// One use: the module that uses, and the path that it uses, from the root of the crate.
type Use = (Vec<String>, Vec<String>);

impl Crate {
    pub(crate) fn named(name: &str) -> Self {
        let src = root().join(name).join("src");
        let mut files = Vec::new();
        collect(&src, &src, name, &mut files);
        assert!(!files.is_empty(), "{name} has no sources");
        Self { files }
    }

    /// The top-level modules that each top-level module uses, including those that it uses through a re-export of the
    /// root.
    pub(crate) fn uses(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.uses_to_depth(1)
    }

    /// The modules that each module uses. A module further than `depth` below the root counts as the module above it.
    pub(crate) fn uses_to_depth(&self, depth: usize) -> BTreeMap<String, BTreeSet<String>> {
        let exports = self.exports();
        let modules: BTreeSet<_> = self.files.iter().map(|file| file.module.as_slice()).collect();
        // Returns the longest beginning of the path that names a module; the rest names an item in it.
        let module_of = |path: &[String]| {
            let longest = (1..=path.len().min(depth)).rev();
            let mut beginnings = longest.map(|length| &path[..length]);
            beginnings
                .find(|path| modules.contains(path))
                .map(|path| path.join("::"))
        };
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, path) in self.all_uses() {
            let Some(from) = module_of(&from) else { continue };
            let Some(first) = path.first() else { continue };
            let to = module_of(&path).or_else(|| exports.get(first).cloned());
            if let Some(to) = to.filter(|to| *to != from) {
                graph.entry(from).or_default().insert(to);
            }
        }
        graph
    }

    /// Returns the items that the root of the crate defines itself and that modules use, each with the module.
    pub(crate) fn uses_of_the_root(&self) -> BTreeSet<(String, String)> {
        let (modules, exports) = (self.modules(), self.exports());
        let own = |item: &String| !modules.contains(item) && !exports.contains_key(item) && self.root_has(item);
        self.all_uses()
            .into_iter()
            .filter_map(|(from, path)| Some((from.first()?.clone(), path.first()?.clone())))
            .filter(|(_, item)| own(item))
            .collect()
    }

    fn all_uses(&self) -> Vec<Use> {
        self.files.iter().flat_map(SourceFile::uses).collect()
    }

    fn modules(&self) -> BTreeSet<String> {
        self.files
            .iter()
            .filter_map(|file| file.module.first().cloned())
            .collect()
    }

    fn roots(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.module.is_empty())
    }

    /// Returns the names that the root re-exports, each with its module.
    fn exports(&self) -> BTreeMap<String, String> {
        let mut exports = BTreeMap::new();
        for item in self.roots().flat_map(|file| &file.syntax.items) {
            let Item::Use(reexport) = item else { continue };
            for path in leaves(&reexport.tree) {
                let path: Vec<_> = path
                    .into_iter()
                    .filter(|part| part != "self" && part != "crate")
                    .collect();
                if let (Some(module), Some(name)) = (path.first(), path.last()) {
                    exports.insert(name.clone(), module.clone());
                }
            }
        }
        exports
    }

    fn root_has(&self, name: &str) -> bool {
        self.roots().flat_map(|file| &file.syntax.items).any(|item| match item {
            Item::Const(item) => item.ident == name,
            Item::Enum(item) => item.ident == name,
            Item::Fn(item) => item.sig.ident == name,
            Item::Static(item) => item.ident == name,
            Item::Struct(item) => item.ident == name,
            Item::Trait(item) => item.ident == name,
            Item::Type(item) => item.ident == name,
            _ => false,
        })
    }
}

impl SourceFile {
    /// Returns whether the file is compiled for tests only.
    pub(crate) fn is_of_tests(&self) -> bool {
        self.module.last().is_some_and(|last| last == "tests")
    }

    /// Returns every function that is not a test, with its number of lines.
    pub(crate) fn functions(&self) -> Vec<(String, usize)> {
        let mut functions = Functions(Vec::new());
        functions.visit_file(&self.syntax);
        functions.0
    }

    fn uses(&self) -> Vec<Use> {
        if self.module.iter().any(|module| module == "tests") {
            return Vec::new();
        }
        let mut uses = Uses {
            module: self.module.clone(),
            found: Vec::new(),
        };
        uses.visit_file(&self.syntax);
        uses.found
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file of the workspace, tests and examples included: its path from the root of the workspace, and its
/// text.
pub(crate) fn every_rust_file() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let generated = ["target", "node_modules", ".git"]
                .iter()
                .any(|name| path.ends_with(name));
            if path.is_dir() && !generated {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(root())
                    .expect("the file is below the root")
                    .display()
                    .to_string();
                files.push((name, fs::read_to_string(&path).expect("the source can be read")));
            }
        }
    }
    files
}

fn collect(folder: &Path, src: &Path, name: &str, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, src, name, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the source can be read");
            let inner = path.strip_prefix(src).expect("the file is below src");
            let mut module: Vec<String> = inner
                .with_extension("")
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            let is_root = module.len() == 1 && matches!(module[0].as_str(), "lib" | "main");
            if is_root || module.last().is_some_and(|last| last == "mod") {
                module.pop();
            }
            files.push(SourceFile {
                name: format!("{name}/src/{}", inner.display()),
                module,
                syntax: syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
                text,
            });
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg_test = || {
            attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|argument| argument == "test")
        };
        attribute.path().is_ident("cfg") && cfg_test()
    })
}

/// Collects the paths that begin with `crate`, `self` or `super`, wherever they are in a file.
struct Uses {
    module: Vec<String>,
    found: Vec<Use>,
}

impl Uses {
    fn add(&mut self, path: &[String]) {
        let mut inside = self.module.clone();
        let mut rest = path;
        match path.first().map(String::as_str) {
            Some("crate") => {
                inside.clear();
                rest = &path[1..];
            }
            Some("self") => rest = &path[1..],
            Some("super") => {}
            _ => return,
        }
        while rest.first().is_some_and(|part| part == "super") {
            inside.pop();
            rest = &rest[1..];
        }
        inside.extend_from_slice(rest);
        self.found.push((self.module.clone(), inside));
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_for_tests(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_for_tests(&item.attrs) {
            for path in leaves(&item.tree) {
                self.add(&path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.add(&parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for path in paths_in(call.tokens.clone()) {
            self.add(&path);
        }
        visit::visit_macro(self, call);
    }
}

/// Returns the parts of every path that a `use` declaration names.
fn leaves(tree: &UseTree) -> Vec<Vec<String>> {
    match tree {
        UseTree::Path(path) => leaves(&path.tree)
            .into_iter()
            .map(|rest| std::iter::once(path.ident.to_string()).chain(rest).collect())
            .collect(),
        UseTree::Name(name) => vec![vec![name.ident.to_string()]],
        UseTree::Rename(name) => vec![vec![name.ident.to_string()]],
        UseTree::Glob(_) => vec![Vec::new()],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

/// Returns the paths in the arguments of a macro that begin with `crate`, `self` or `super`.
fn paths_in(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    paths.push(std::mem::take(&mut path));
                }
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Group(group) => {
                let inner = paths_in(group.stream());
                if colons == 2 && group.delimiter() == Delimiter::Brace {
                    paths.extend(inner.iter().map(|rest| path.iter().chain(rest).cloned().collect()));
                } else {
                    paths.extend(inner);
                }
                paths.push(std::mem::take(&mut path));
                colons = 0;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                paths.push(std::mem::take(&mut path));
                colons = 0;
            }
        }
    }
    paths.push(path);
    paths.retain(|path| !path.is_empty());
    paths
}

struct Functions(Vec<(String, usize)>);

impl Functions {
    fn add(&mut self, name: &syn::Ident, whole: proc_macro2::Span) {
        let lines = whole.end().line - whole.start().line + 1;
        self.0.push((name.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(
            &function.sig.ident,
            function
                .sig
                .span()
                .join(function.block.span())
                .unwrap_or(function.block.span()),
        );
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(
            &function.sig.ident,
            function
                .sig
                .span()
                .join(function.block.span())
                .unwrap_or(function.block.span()),
        );
        visit::visit_impl_item_fn(self, function);
    }
}
