# Functions for the scripts: they install the system packages that the build and the tests need.

say() {
    printf '%s\n' "$*" >&2
}

# install_packages WHAT PACKAGE...: installs packages of Debian or Ubuntu. Fails with a message if that is not possible.
install_packages() {
    local what=$1
    shift
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        say "$what needs packages that this script can install on Debian and Ubuntu only. Install what they call: $*"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "$what needs packages that only root can install. Ask an administrator to install: $*"
            return 1
        fi
        as_root=(sudo)
    fi
    say "$what: installing $* ..."
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# SQLite, the allocator and the Kafka client are built from C and C++. The Kafka client needs the headers of OpenSSL and zlib.
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

# Returns whether a library is installed. Without pkg-config that is not known; pkg-config is then installed with the library.
has_library() {
    command -v pkg-config >/dev/null && pkg-config --exists "$1"
}

# Installs the services that the tests run on, except those for which a variable names a running service.
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
    if ! command -v nginx >/dev/null && [ ! -x /usr/sbin/nginx ]; then
        missing+=(nginx)
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "The services that tests run on" "${missing[@]}"
    fi
}

# need_languages WHAT: looks for Node.js, Python and Go, in which the contract is checked and a test's issuer is written. Fails
# with one line that names everything that is missing and where to get it: what Debian and Ubuntu have is often too old.
need_languages() {
    local what=$1 missing=()
    if ! command -v npm >/dev/null || ! node --eval \
        'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
    then
        missing+=("Node.js from 20.19 with npm (https://nodejs.org/en/download)")
    fi
    if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        missing+=("Python from 3.10 (https://www.python.org/downloads)")
    elif ! python3 -c 'import ensurepip, venv' 2>/dev/null && ! install_packages "$what" python3-venv; then
        missing+=("Python's venv (Debian and Ubuntu: apt-get install python3-venv)")
    fi
    if ! command -v go >/dev/null && [ -x /usr/local/go/bin/go ]; then
        PATH=/usr/local/go/bin:$PATH
    fi
    # A Go from 1.21 fetches the one that go.mod asks for, unless it is told not to.
    if ! (cd "$(dirname "${BASH_SOURCE[0]}")/contract/clients/go" && go list -m >/dev/null 2>&1); then
        missing+=("Go from 1.25, or from 1.21 if it may fetch that (https://go.dev/dl)")
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        local list
        printf -v list '%s; ' "${missing[@]}"
        say "$what needs what was not found: ${list%; }."
        return 1
    fi
}

# Installs Prometheus, Alertmanager and their tools, with which the tests check deploy/.
need_monitoring_packages() {
    local missing=()
    if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
        missing+=(prometheus)
    fi
    command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
    if [ ${#missing[@]} -gt 0 ]; then
        install_packages "The check of the metrics" "${missing[@]}"
    fi
}

need_cargo() {
    if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null; then
        say "cargo was not found. Install Rust with rustup and try again."
        exit 1
    fi
}
