fn main() {
    // The migrations are compiled in; a new file has to reach the next build.
    println!("cargo:rerun-if-changed=migrations");
}
