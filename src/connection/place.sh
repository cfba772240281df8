# Starts the agent at a host that has a shell and little more. Words in @ are filled in; no single quotes.
# the agent and its folder are private; what modules make has the mask of the login
mask=$(umask)
umask 077
say() { echo "@mark@ $*"; }
# a terminal (su, doas) shall leave bytes alone
test -t 0 && stty raw -echo 2>/dev/null
machine=$(uname -m)
hash=
for known in @hashes@; do
  case $known in "$machine":*) hash=${known#*:};; esac
done
uid=$(id -u)
set -- "$HOME/.cache/rplay" "@tmp@/rplay-agent" "/var/tmp/.rplay-$uid" "/tmp/.rplay-$uid"
# in a place that others can write to, only a folder that is the own user's and no link
own() { test -d "$1" && test -O "$1" && ! test -L "$1"; }
if [ -n "$hash" ]; then
  for dir; do
    agent="$dir/agent-$hash"
    if [ -x "$agent" ] && own "$dir" && test -O "$agent"; then say HAVE; umask "$mask"; exec "$agent"; fi
  done
fi
why=
for dir; do
  if mkdir -p "$dir" 2>/dev/null && own "$dir" && test -w "$dir"; then
    try="$dir/.try-$$"
    printf "#!/bin/sh\nexit 0\n" 2>/dev/null >"$try" && chmod 700 "$try"
    if "$try" 2>/dev/null; then
      rm -f "$try"
      tools=
      for tool in xz gzip; do command -v $tool >/dev/null 2>&1 && tools="$tools $tool"; done
      say NEED "$machine$tools"
      read -r length whole tool
      say READY
      new="$dir/.agent-$$"
      case $tool in
        xz|gzip) head -c "$length" | $tool -dc 2>/dev/null >"$new";;
        *) head -c "$length" 2>/dev/null >"$new";;
      esac
      got=$(wc -c <"$new")
      wrong="$dir holds $((got)) of $whole bytes: is the disk full?"
      if [ "$((got))" = "$whole" ]; then
        # its name is the beginning of its hash; what cannot compute it has had the check of xz or gzip
        case $(sha256sum "$new" 2>/dev/null) in
          "$hash"*|"")
            if chmod 700 "$new" && mv -f "$new" "$dir/agent-$hash"; then
              say HAVE
              umask "$mask"
              exec "$dir/agent-$hash"
            fi
            wrong="$dir/agent-$hash cannot be made";;
          *) wrong="what has come to $dir is not what was sent";;
        esac
      fi
      rm -f "$new"
      say FAILED "$wrong"
      exit 1
    fi
    rm -f "$try"
    why="$why no program can be started from $dir;"
  else
    why="$why $dir cannot be written;"
  fi
done
say NOWHERE "$why"
exit 1
