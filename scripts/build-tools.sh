# Sourced by ./run and ./test: makes sure that there is a Rust toolchain and a C compiler.

say() {
    printf '%s\n' "$*" >&2
}

# SQLite and the allocator are built from their C sources.
need_c_compiler() {
    if command -v cc >/dev/null; then
        return
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "A C compiler is needed: ask an administrator to install one (Debian and Ubuntu: build-essential)."
            exit 1
        fi
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null; then
        say "A C compiler is needed: install one that answers to the name cc."
        exit 1
    fi
    say "Installing a C compiler (build-essential) ..."
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends build-essential
}

need_cargo() {
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null; then
        say "Rust is needed and cargo was not found: install it with rustup and try again."
        exit 1
    fi
}
