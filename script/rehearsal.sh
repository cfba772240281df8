# Ten real hosts for the instances that moto reports, on this machine: see tests/rehearsal/README.md.
# shellcheck shell=bash
# Needs lib.sh and moto.sh.

testbed() { TESTBED_CACHE=${TESTBED_CACHE:-$cache/testbed} "$root/tests/testbed/testbed.sh" "$@"; }

# rehearsal_build: the hosts' root and what the stand-in for the internet serves, once and when their sources change.
rehearsal_build() {
    [[ $EUID == 0 ]] || { echo "Test hosts are made by root: run it with sudo" >&2; return 1; }
    packages openssl gpg openssh-client iproute2 python3 sudo
    say "Making the hosts' root (some minutes, once)"
    testbed root
    local folder=${TESTBED_CACHE:-$cache/testbed} here=$root/tests/rehearsal made
    (
        flock 8
        made=$(find "$here/image" "$here/root.sh" "$here/tools.sh" -type f -exec sha256sum {} + | sort | sha256sum)
        if [[ $(cat "$folder/ubuntu/.made" 2>/dev/null) != "$made" ]]; then
            rm -rf "$folder"/{ubuntu,site}
            cp -a "$folder/python" "$folder/ubuntu"
            rm -f "$folder/ubuntu/.made"
            "$here/root.sh" "$folder/ubuntu" "$folder/rehearsal-keys" >"$folder/ubuntu.log" 2>&1 ||
                { tail -n 20 "$folder/ubuntu.log" >&2; exit 1; }
            echo "$made" >"$folder/ubuntu/.made"
        fi
        made=$(find "$here" -type f -not -path '*/image/*' -exec sha256sum {} + | sort | sha256sum)
        if [[ $(cat "$folder/site/.made" 2>/dev/null) != "$made" ]]; then
            "$here/site.sh" "$folder/site" "$folder/ubuntu" "$folder/rehearsal-keys" >"$folder/site.log" 2>&1 ||
                { tail -n 20 "$folder/site.log" >&2; exit 1; }
            echo "$made" >"$folder/site/.made"
        fi
    ) 8>"$folder/rehearsal.lock"
}

# rehearsal_open NAME: a network with no hosts yet. `within` is the command that runs something on the controller's side.
# All of it goes when the script ends, however it ends.
rehearsal_open() {
    # other checkouts may rehearse at the same time
    world=$1$(printf %s "$root" | sha256sum | cut -c1-6)
    trap rehearsal_close EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    testbed down "$world"
    testbed up "$world" --jump none
    within=(testbed run "$world")
    # nothing of the user's own is read or written: keys, known hosts, ssh's configuration
    home=$(mktemp -d)
    mkdir -m 700 "$home/.ssh"
    eval "$(ssh-agent -s)" >/dev/null
    ssh-add -q "${TESTBED_CACHE:-$cache/testbed}/keys/id_ed25519"
}

rehearsal_close() {
    local code=$?
    trap - EXIT
    trap '' INT TERM
    testbed down "$world" || true
    kill "${moto_pid:-}" "${SSH_AGENT_PID:-}" 2>/dev/null || true
    rm -rf "${home:?}"
    exit "$code"
}

# rehearsal_hosts: makes a host of each instance, the stand-in for the internet, and the names of both.
rehearsal_hosts() {
    local folder=${TESTBED_CACHE:-$cache/testbed} name address public role names tries jump="" specs=() publics=()
    "${within[@]}" "$cache/moto/bin/python" "$root/tests/rehearsal/instances.py" >"$home/instances"
    : >"$home/names"
    while read -r name address public role names; do
        specs+=("$name=$address@ubuntu")
        [[ $role != jumphost ]] || { jump=$name publics+=("$public"); }
        echo "$names" | sed 's/ /\n/g; s/=/ /g' >>"$home/names"
    done <"$home/instances"
    testbed up "$world" --jump "$jump" "${specs[@]}"
    for public in "${publics[@]}"; do testbed public "$world" "$jump" "$public"; done
    jumphost=$jump
    testbed names "$world" "$home/names"
    testbed inside "$world" python3 "$root/tests/rehearsal/internet.py" "$folder/site" 10.0.255.253 "$home/names" >/dev/null 2>"$cache/internet.log" &
    for ((tries = 0; tries < 100; tries++)); do
        testbed inside "$world" bash -c 'exec 3<>/dev/tcp/10.0.255.253/443' 2>/dev/null && return
        sleep 0.1
    done
    echo "The stand-in for the internet did not start:" >&2
    tail -n 20 "$cache/internet.log" >&2
    return 1
}

# play NAME ARGUMENT...: runs rplay where the user sits, and keeps what it said in .cache/NAME.txt.
play() {
    local name=$1
    shift
    say "rplay $*"
    "${within[@]}" env HOME="$home" "$rplay" "$@" | tee "$cache/$name.txt"
}

# rehearsal_logins: checks in the logs of the hosts' sshd that all came from the jumphost.
rehearsal_logins() {
    local folder=${TESTBED_CACHE:-$cache/testbed}/worlds/$world/hosts from
    from=$(cat "$folder/$jumphost/ip")
    # the jumphost itself is logged in at from outside
    if cat $(ls "$folder"/*/merged/var/log/sshd.log | grep -v "/$jumphost/") | grep 'Accepted publickey' | grep -v "from $from port"; then
        echo "These logins did not come through the jumphost." >&2
        return 1
    fi
    echo "Every login at a node came from the jumphost: $(cat "$folder"/*/merged/var/log/sshd.log | grep -c "Accepted publickey .* from $from port")."
}
