//! The paths that a file writes to name items of its own crate.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Macro};

use super::files::{ModulePath, SourceFile};
use super::names::{Import, attributes, brought_in, is_for_tests};

/// A path that a module writes.
#[derive(Debug)]
pub(crate) struct Written {
    /// The module in which it is written.
    pub(crate) module: ModulePath,
    pub(crate) path: Vec<String>,
    /// What it brings in, if it stands in a `use` declaration.
    pub(crate) import: Option<Import>,
}

/// Returns the paths that a file writes. Those in its tests do not count.
pub(crate) fn written(file: &SourceFile) -> Vec<Written> {
    let mut paths = Paths {
        module: file.module.clone(),
        found: Vec::new(),
    };
    paths.visit_file(&file.syntax);
    paths.found
}

struct Paths {
    module: ModulePath,
    found: Vec<Written>,
}

impl Paths {
    fn add(&mut self, path: Vec<String>, import: Option<Import>) {
        self.found.push(Written {
            module: self.module.clone(),
            path,
            import,
        });
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in brought_in(item) {
            self.add(import.path.clone(), Some(import));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let parts = path.segments.iter().map(|part| part.ident.to_string()).collect();
            self.add(parts, None);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        for path in paths_in(call.tokens.clone()) {
            self.add(path, None);
        }
        visit::visit_macro(self, call);
    }
}

/// Returns the paths in the arguments of a macro.
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
    paths.retain(|path| path.len() > 1);
    paths
}
