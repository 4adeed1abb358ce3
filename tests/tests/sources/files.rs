//! The Rust files of the workspace, and which of them make a crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::File;

/// The path of a module from the root of its crate. Empty for the root itself.
pub(crate) type ModulePath = Vec<String>;

/// The sources of one crate: a library or binary without its tests and benchmarks, or one folder of tests.
pub(crate) struct Crate {
    /// The folder of the crate's root, from the root of the workspace.
    pub(crate) name: String,
    pub(crate) files: Vec<SourceFile>,
}

pub(crate) struct SourceFile {
    /// The path from the root of the workspace.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) module: ModulePath,
    pub(crate) syntax: File,
}

impl Crate {
    /// Reads the library or binary of a member of the workspace.
    pub(crate) fn named(member: &str) -> Self {
        let src = root().join(member).join("src");
        Self::read(&src, member.to_owned(), &[])
    }

    /// Reads every crate of the workspace, and every folder of tests, benchmarks or of one program.
    pub(crate) fn all() -> Vec<Self> {
        let mut crates = Vec::new();
        for member in members() {
            if root().join(&member).join("src").is_dir() {
                crates.push(Self::named(&member));
            }
            for folders in ["src/bin", "tests", "benches", "examples"] {
                for folder in folders_in(&root().join(&member).join(folders)) {
                    let inner = folder.file_name().expect("a folder has a name").to_string_lossy();
                    let name = format!("{member}/{folders}/{inner}");
                    // A folder without a root of its own is a module of the files beside it.
                    let is_crate = folder.join("main.rs").is_file();
                    let module = if is_crate { Vec::new() } else { vec![inner.into_owned()] };
                    let read = Self::read(&folder, name, &module);
                    crates.extend((!read.files.is_empty()).then_some(read));
                }
            }
        }
        crates
    }

    fn read(folder: &Path, name: String, module: &[String]) -> Self {
        let mut files = Vec::new();
        collect(folder, module, &mut files);
        Self { name, files }
    }

    /// Makes a crate of files, by their paths below the root.
    pub(crate) fn of(files: &BTreeMap<&str, &str>) -> Self {
        let file = |(path, text): (&&str, &&str)| SourceFile::new((*path).to_owned(), module_of(Path::new(path)), text);
        Self {
            name: "made-up".to_owned(),
            files: files.iter().map(file).collect(),
        }
    }
}

impl SourceFile {
    fn new(name: String, module: ModulePath, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = text.to_owned();
        Self {
            name,
            text,
            module,
            syntax,
        }
    }

    /// Returns whether the file is compiled for tests only.
    pub(crate) fn is_of_tests(&self) -> bool {
        self.module.iter().any(|module| module == "tests")
    }
}

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the folders of the members of the workspace, as its manifest lists them.
pub(crate) fn members() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let (_, members) = manifest
        .split_once("members = [")
        .expect("the manifest lists its members");
    let (members, _) = members.split_once(']').expect("the list of members ends");
    let members = members.split(',').map(|member| member.trim().trim_matches('"'));
    members.filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

/// Returns every Rust file of the workspace, tests and examples included: its path from the root of the workspace, and
/// its text.
pub(crate) fn every_rust_file() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let generated = ["target", "node_modules", ".git"]
                .iter()
                .any(|name| path.ends_with(name));
            if path.is_dir() && !generated {
                folders.push(path);
            } else if is_rust(&path) {
                files.push((name_of(&path), read(&path)));
            }
        }
    }
    files
}

fn collect(folder: &Path, module: &[String], files: &mut Vec<SourceFile>) {
    for path in entries(folder) {
        let inner = module_of(path.strip_prefix(folder).expect("the entry is in the folder"));
        let inner = [module, &inner].concat();
        // Each program in `src/bin` is a crate of its own.
        if path.is_dir() && inner != ["bin"] {
            collect(&path, &inner, files);
        } else if is_rust(&path) {
            files.push(SourceFile::new(name_of(&path), inner, &read(&path)));
        }
    }
}

/// Returns the path of the module whose file or folder has this path below the root of its crate.
fn module_of(path: &Path) -> ModulePath {
    let parts = path.with_extension("");
    let mut module: ModulePath = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let is_root = module == ["lib"] || module == ["main"];
    if is_rust(path) && (is_root || module.last().is_some_and(|last| last == "mod")) {
        module.pop();
    }
    module
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    entries(folder).into_iter().filter(|path| path.is_dir()).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    paths.sort();
    paths
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the source can be read")
}

fn name_of(path: &Path) -> String {
    let name = path.strip_prefix(root()).expect("the file is below the root");
    name.display().to_string()
}
