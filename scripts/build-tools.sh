# Sourced by the scripts: makes sure that there is what the build, and what the tests run on, take from the system.

say() {
    printf '%s\n' "$*" >&2
}

# install_packages WHAT PACKAGE...: installs packages of Debian or Ubuntu; says so and fails where that is not possible.
install_packages() {
    local what=$1
    shift
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        say "$what: install what Debian and Ubuntu call $*."
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "$what: ask an administrator to install $*."
            return 1
        fi
        as_root=(sudo)
    fi
    say "$what: installing $* ..."
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# SQLite, the allocator and the Kafka client are built from C and C++; the last wants OpenSSL's and zlib's headers.
need_build_packages() {
    local missing=()
    if ! command -v cc >/dev/null || ! command -v c++ >/dev/null || ! command -v make >/dev/null; then
        missing+=(build-essential)
    fi
    if ! command -v pkg-config >/dev/null; then
        missing+=(pkg-config)
    fi
    has_library openssl || missing+=(libssl-dev)
    has_library zlib || missing+=(zlib1g-dev)
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "The build" "${missing[@]}" || exit 1
    fi
}

# Without pkg-config nobody knows, and whoever installs it installs the library too.
has_library() {
    command -v pkg-config >/dev/null && pkg-config --exists "$1"
}

# The programs of the services that the tests run on, but for those that a variable gives.
need_service_packages() {
    local missing=()
    if [ -z "${TEST_POSTGRES_URL:-}" ] && ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
        missing+=(postgresql)
    fi
    if [ -z "${TEST_REDIS_URL:-}" ] && ! command -v redis-server >/dev/null; then
        missing+=(redis-server)
    fi
    if [ -z "${TEST_REDPANDA_BROKERS:-}" ]; then
        command -v java >/dev/null || missing+=(default-jre-headless)
        command -v mvn >/dev/null || missing+=(maven)
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "The services that tests run on" "${missing[@]}"
    fi
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
