# Sourced by the benchmarks: the programs, services of their own and servers with an event on sale. Sets $root, $seconds,
# $programs and $state; everything ends with the script.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/build-tools.sh
source "$root/scripts/build-tools.sh"

# begin_bench SCRIPT GIVEN DEFAULT PACKAGE...: takes the number of seconds and builds the programs of the packages.
begin_bench() {
    local script=$1 default=$3
    seconds=${2:-$default}
    shift 3
    case $seconds in
        *[!0-9]*)
            sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$script"
            exit 2
            ;;
    esac
    need_cargo
    need_build_packages
    say "Building ..."
    local package packages=()
    for package in "$@"; do
        packages+=(-p "$package")
    done
    cargo build --release --locked --quiet --manifest-path "$root/Cargo.toml" "${packages[@]}" --bins
    programs=${CARGO_TARGET_DIR:-$root/target}/release
    state=$(mktemp -d)
    servers=()
    # What services_up sets is none of these.
    given=()
    local variable
    for variable in TEST_POSTGRES_URL TEST_REDIS_URL TEST_REDPANDA_BROKERS; do
        [ -z "${!variable:-}" ] || given+=("$variable=${!variable}")
    done
    trap end_bench EXIT
}

services() {
    env -u TEST_POSTGRES_URL -u TEST_REDIS_URL -u TEST_REDPANDA_BROKERS "${given[@]}" \
        "$root/scripts/services" --state "$state/services" "$@"
}

# services_up [--durable]: fresh ones, instead of those that were started before.
services_up() {
    say "Starting the services ..."
    services down >/dev/null 2>&1 || true
    services up "$@" >&2
    eval "$(services env)"
}

# The id of the postmaster, and of the broker; nothing where it is no process of this machine.
postgres_process() {
    local backend
    backend=$(psql "$TEST_POSTGRES_URL" --no-align --tuples-only --command \
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    [ "$(cat "/proc/$backend/comm" 2>/dev/null)" != postgres ] || sed -n 's/^PPid:[[:space:]]*//p' "/proc/$backend/status"
}
broker_process() {
    local folder
    folder=$(awk -F'"' '/"kind"/ { kind = $4 } /"folder"/ && kind == "broker" { print $4 }' "$state/services/state.json" 2>/dev/null)
    [ -z "$folder" ] || cat "$folder/pid"
}

# processor_time ID...: prints the processor time so far of each process, with all that it has started, in microseconds.
# 0 for what is no id.
processor_time() {
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v ids="$*" -v ticks="$(getconf CLK_TCK)" '
        { id = $1; sub(/^.*\) /, ""); parent[id] = $2; used[id] = $12 + $13 + $14 + $15 }
        END { count = split(ids, root, " ")
              for (id in used)
                  for (above = id; above in parent; above = parent[above])
                      for (i = 1; i <= count; i++) if (above == root[i]) sum[i] += used[id]
              for (i = 1; i <= count; i++) printf "%.0f ", sum[i] * 1000000 / ticks }'
}

# counted NAME FIELD...: prints what the server has counted until it stopped, each field after the other; `-` for what
# this build does not count.
counted() {
    local name=$1 field
    shift
    for field in "$@"; do
        sed -n "s/.*the engine's totals.* $field=\([0-9]*\).*/\1/p" "$state/$name/log" | tail -n 1 | grep . || echo -
    done
}

stop_servers() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    wait "${servers[@]}" 2>/dev/null || true
    servers=()
}

end_bench() {
    stop_servers
    services down >/dev/null 2>&1 || true
    rm -rf "$state"
}

# start_demo NAME CUSTOMERS: a server with an event on sale and its customers' sessions in $state/NAME/sessions. A
# customer may have any number of holds there, so that few customers can keep the server busy. Sets $url, $admin and
# $event.
start_demo() {
    local folder=$state/$1
    rm -rf "$folder"
    mkdir "$folder"
    (cd "$folder" && MAX_LIVE_HOLDS=0 exec "$programs/app-server" --http-addr 127.0.0.1:0 demo --customers "$2" --sessions-file sessions >out 2>log) &
    servers+=($!)
    for _ in $(seq 600); do
        grep -q '^EVENT=' "$folder/out" 2>/dev/null && grep -q listening "$folder/log" && break
        sleep 0.1
    done
    url=$(sed -n 's/^The box office is open at \([^ ]*\).*/\1/p' "$folder/out" | sed 's/localhost/127.0.0.1/')
    admin=$(sed -n 's/^ADMIN_SESSION=//p' "$folder/out")
    # shellcheck disable=SC2034
    event=$(sed -n 's/^EVENT=//p' "$folder/out")
    if [ -z "$url" ] || [ -z "$admin" ]; then
        say "The server did not start:"
        cat "$folder/log" >&2
        return 1
    fi
}

# ask ARGUMENT...: asks a server, and fails if it refuses or does not answer in a minute. as_admin: in the name of $admin.
ask() { curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
as_admin() { ask --header "Authorization: Bearer $admin" --header 'Content-Type: application/json' "$@"; }

# until_shown URL: waits until the server answers it, for ten seconds at most.
until_shown() {
    for _ in $(seq 100); do
        ask "$1" >/dev/null 2>&1 && return
        sleep 0.1
    done
    say "$1 is not shown."
    return 1
}

# await_line PATTERN FILE: waits until a line of the file matches, for a minute at most.
await_line() {
    for _ in $(seq 600); do
        grep -q "$1" "$2" 2>/dev/null && return
        sleep 0.1
    done
    say "A server does not say where it listens."
    return 1
}

# Puts an event on sale at $url that nobody sells out. Prints its id once the read models show it.
large_event() {
    local large
    large=$(as_admin "$url/api/events" --data @- <<JSON | sed 's/.*"event_id":"\([^"]*\)".*/\1/'
{"name": "Large", "currency": "EUR", "starts_at": "$(date --utc --date '+60 days' +%FT%TZ)",
 "venue": {"name": "Field", "city": "Antwerp", "country": "BE", "timezone": "Europe/Brussels"},
 "sections": [{"name": "Field", "seating": {"kind": "general_admission", "capacity": 1000000}}],
 "pricing_tiers": [{"section": "Field", "tier": "regular", "price": {"amount": 5000, "currency": "EUR"},
                    "available_from": null, "available_until": null}],
 "hold_seconds": 3600}
JSON
    )
    as_admin --request POST "$url/api/events/$large/publish" >/dev/null
    as_admin --request POST "$url/api/events/$large/sales/open" >/dev/null
    until_shown "$url/api/events/$large"
    printf '%s\n' "$large"
}

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
