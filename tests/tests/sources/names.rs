//! Which names a module defines, imports and uses.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, ItemUse, Macro, UseTree, Visibility};

/// What a `use` declaration brings into a module.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// The path as it is written. Of a glob, the path before the star.
    pub(crate) path: Vec<String>,
    /// The name under which the module knows it. `None` for a glob.
    pub(crate) name: Option<String>,
    /// Whether other modules may use it from here.
    pub(crate) is_export: bool,
}

/// Returns the names of the items that stand in a list of items.
pub(crate) fn defined(items: &[Item]) -> Vec<String> {
    let name = |item: &Item| {
        Some(match item {
            Item::Const(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            Item::Fn(item) => item.sig.ident.to_string(),
            Item::Macro(item) => item.ident.as_ref()?.to_string(),
            Item::Static(item) => item.ident.to_string(),
            Item::Struct(item) => item.ident.to_string(),
            Item::Trait(item) => item.ident.to_string(),
            Item::Type(item) => item.ident.to_string(),
            _ => return None,
        })
    };
    items.iter().filter_map(name).collect()
}

/// Returns the names of the modules that a list of items declares and that have files of their own.
pub(crate) fn declared(items: &[Item]) -> Vec<String> {
    let declared = items.iter().filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    });
    declared.collect()
}

/// Returns the names of the macros in a list of items that other crates may use.
pub(crate) fn exported_macros(items: &[Item]) -> Vec<String> {
    let is_exported = |item: &&Item| {
        attributes(item)
            .iter()
            .any(|attribute| attribute.path().is_ident("macro_export"))
    };
    let exported = items.iter().filter(is_exported).filter_map(|item| match item {
        Item::Macro(item) => Some(item.ident.as_ref()?.to_string()),
        _ => None,
    });
    exported.collect()
}

/// Returns what the `use` declarations of a file bring in, those for tests left out.
pub(crate) fn imports(items: &[Item]) -> Vec<Import> {
    let declarations = items.iter().filter_map(|item| match item {
        Item::Use(declaration) if !is_for_tests(attributes(item)) => Some(declaration),
        _ => None,
    });
    declarations.flat_map(brought_in).collect()
}

/// Returns what one `use` declaration brings in.
pub(crate) fn brought_in(declaration: &ItemUse) -> Vec<Import> {
    let is_export = !matches!(declaration.vis, Visibility::Inherited);
    let leaves = leaves(&declaration.tree).into_iter();
    leaves.map(|(path, name)| Import { path, name, is_export }).collect()
}

/// Returns every name that stands in a file outside of `use` declarations and tests.
pub(crate) fn used(file: &File) -> BTreeSet<String> {
    struct Used(BTreeSet<String>);

    impl<'ast> Visit<'ast> for Used {
        fn visit_item(&mut self, item: &'ast Item) {
            if !is_for_tests(attributes(item)) {
                visit::visit_item(self, item);
            }
        }

        fn visit_item_use(&mut self, _: &'ast ItemUse) {}

        fn visit_ident(&mut self, name: &'ast syn::Ident) {
            self.0.insert(name.to_string());
        }

        fn visit_macro(&mut self, call: &'ast Macro) {
            add_idents(call.tokens.clone(), &mut self.0);
            visit::visit_macro(self, call);
        }
    }

    let mut used = Used(BTreeSet::new());
    used.visit_file(file);
    used.0
}

fn add_idents(tokens: TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => _ = names.insert(name.to_string()),
            TokenTree::Group(group) => add_idents(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Returns each path that a `use` declaration names, with the name that it gets in the module.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, Option<String>)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let inner = leaves(&path.tree).into_iter();
            inner
                .map(|(rest, name)| {
                    // `use module::{self}` names the module.
                    if rest == ["self"] {
                        let name = name.filter(|name| name != "self").unwrap_or_else(|| first.clone());
                        return (vec![first.clone()], Some(name));
                    }
                    (std::iter::once(first.clone()).chain(rest).collect(), name)
                })
                .collect()
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], Some(name.ident.to_string()))],
        UseTree::Rename(renamed) => vec![(vec![renamed.ident.to_string()], Some(renamed.rename.to_string()))],
        UseTree::Glob(_) => vec![(Vec::new(), None)],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

/// Returns whether an item is compiled for tests only.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg_test = || {
            attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|argument| argument == "test")
        };
        attribute.path().is_ident("cfg") && cfg_test()
    })
}

/// Returns the attributes of an item.
pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
