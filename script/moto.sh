# A local AWS for scripts: moto's server, in memory, on a free port of this machine, gone when the script ends.
# shellcheck shell=bash

# moto_start: starts it and points the environment at it, and only at it. It runs where the command in `within`, if set,
# runs things: in the network of a rehearsal.
within=()
moto_start() {
    packages python3-venv
    venv moto 'moto[server]==5.2.5' boto3
    local port log=$cache/moto.log
    port=$("$cache/moto/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "${within[@]}" "$cache/moto/bin/python" "$root/tests/e2e/moto_server.py" -H 127.0.0.1 -p "$port" >"$log" 2>&1 &
    moto_pid=$!
    [[ ${#within[@]} != 0 ]] || trap 'kill "$moto_pid" 2>/dev/null || true' EXIT

    # neither the user's account nor a machine's own may be touched
    local name
    for name in $(compgen -e | grep -E '^(AWS|EC2|BOTO)_' || true); do
        unset "$name"
    done
    export AWS_ENDPOINT_URL=http://127.0.0.1:$port
    export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo AWS_EC2_METADATA_DISABLED=true
    export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null BOTO_CONFIG=/dev/null

    local tries
    for ((tries = 0; tries < 300; tries++)); do
        kill -0 "$moto_pid" 2>/dev/null || break
        if "${within[@]}" bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    echo "moto did not start:" >&2
    tail -n 20 "$log" >&2
    return 1
}

# moto_prepare: what must be there before the playbook runs, and the variables that name it.
moto_prepare() {
    local exports
    exports=$("${within[@]}" "$cache/moto/bin/python" "$root/tests/e2e/prepare.py")
    eval "$exports"
}

# moto_forget: an empty account again.
moto_forget() {
    "${within[@]}" "$cache/moto/bin/python" -c 'import os, urllib.request as r
r.urlopen(r.Request(os.environ["AWS_ENDPOINT_URL"] + "/moto-api/reset", method="POST"))'
}
