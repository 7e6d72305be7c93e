# A memory of its own for a peer's trial, and a server on it. Sourced by each `run PROGRAM FOLDER`:
# PROGRAM is `hirag`; what the peer needs is installed into FOLDER once.
#
# Sets `program`, `peers` (the folder), `here` (where the trial stands) and `memory` (a folder that
# goes with the trial), and ends what stands in `processes` with it.
# shellcheck shell=bash
set -eu

program=$(realpath "$1")
mkdir -p "$2"
peers=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)

memory=$(mktemp -d)
processes=()
finish() {
    for process in "${processes[@]}"; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$memory"
}
trap finish EXIT

export XDG_CONFIG_HOME=$memory/config HIRAG_DATA_DIR=$memory/data
HIRAG_SERVER_TOKEN=$(head -c 32 /dev/urandom | base64 | tr -d '=\n' | tr '+/' '-_')
export HIRAG_SERVER_TOKEN

# Installs what requirements.txt names, with what pip is told besides.
python_packages() {
    if cmp -s "$here/requirements.txt" "$peers/requirements.txt"; then return; fi
    rm -rf "$peers/venv"
    python3 -m venv "$peers/venv"
    "$peers/venv/bin/pip" -q install "$@" -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$peers/"
}

# Waits until a file has what is wanted of it, a minute at most.
wait_for() {
    for _ in $(seq 600); do
        if grep -q "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    echo "nothing in $1 after a minute" >&2
    return 1
}

# Starts a server, and sets `server` (its process) and `url`.
serve() {
    "$program" serve --port 0 >"$memory/log" 2>&1 &
    server=$!
    processes+=("$server")
    wait_for "$memory/data/server.json" url || { cat "$memory/log" >&2; exit 1; }
    url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$memory/data/server.json")
}

# Ends it, which must come to a good end.
end_server() {
    kill "$server" && wait "$server"
}
