fn main() {
    // The migrations are compiled into the program, so a new migration file has to make cargo build this crate again.
    println!("cargo:rerun-if-changed=migrations");
}
