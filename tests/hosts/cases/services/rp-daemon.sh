#!/bin/sh
# Puts an init script in place: rp-daemon.sh NAME; `rp-broken` fails.
cat >"/etc/init.d/$1" <<'S'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          @NAME@
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: sleeps, and notes what it was told
### END INIT INFO
state=/var/lib/@NAME@ pid=/run/@NAME@.pid
mkdir -p "$state"
alive() { [ -s "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; }
start() { alive || { sleep 100000 </dev/null >/dev/null 2>&1 & echo $! >"$pid"; }; }
stop() { ! alive || kill "$(cat "$pid")"; rm -f "$pid"; }
if [ @NAME@ = rp-broken ] && [ "$1" != status ]; then echo "says why" >&2; exit 7; fi
case $1 in
start) start ;;
stop) stop ;;
restart | force-reload) stop; start ;;
reload) ;;
status)
    if alive; then echo "@NAME@ is running."; exit 0; fi
    echo "@NAME@ is not running."
    exit 3
    ;;
*) echo "Usage: $0 {start|stop|restart|reload|status}" >&2; exit 2 ;;
esac
echo "$1" >>"$state/log"
S
sed -i "s/@NAME@/$1/g" "/etc/init.d/$1"
chmod 755 "/etc/init.d/$1"
